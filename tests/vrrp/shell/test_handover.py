"""What operators hand over stays handed over, whatever becomes of the machine."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from libra_schemas.events import AdminState
from libra_vrrp import orders
from libra_vrrp.orders import Failover, Order, Release
from libra_vrrp.reports import Transition
from libra_vrrp.shell.handover import Handover
from libra_vrrp.shell.line import Line
from libra_vrrp.why import Why

MASTER = Transition(
    "front", "master", "backup", Why.TIMER.value, "", 51, "eth0", 150, 1.0, (), None, 0.25, 1000.0
)
GIVEN_UP = replace(MASTER, state="backup", why=Why.OPERATOR.value)
STARTED = replace(MASTER, state="backup", why=Why.STARTED.value)
FAILOVER = AdminState(entity=("instance", "front"), failover=True, who="test")


@dataclass
class World:
    """What obeys operators, and the machine's end of its line."""

    handover: Handover
    machine: socket.socket

    def heard(self) -> list[Order]:
        """Return what the machine was told since the last call."""
        found: list[Order] = []
        with suppress(BlockingIOError):
            while True:
                found.append(orders.loads(self.machine.recv(1 << 18)))
        return found

    def hand_over(self, **more: object) -> None:
        """Have the instance handed over by an operator, a moment from now."""
        decided = datetime.now(UTC) + timedelta(seconds=1)
        self.handover.take(FAILOVER.model_copy(update=more), decided)


@asynccontextmanager
async def mastered() -> AsyncIterator[World]:
    """Obey operators of a node that is master."""
    machine, line = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    machine.setblocking(False)
    with machine, line:
        made = World(Handover("a", Line(line)), machine)
        made.handover.serve({"front": "front"})
        made.handover.note(MASTER)
        yield made
        asyncio.get_running_loop().remove_reader(line.fileno())


@pytest.mark.parametrize("why", [Why.STARTED, Why.RECOVERED, Why.LEASE])
async def test_a_machine_that_forgot_what_was_handed_over_is_told_for_the_time_left(
    why: Why,
) -> None:
    """Found by review: a failover's hold died with the machine."""
    async with mastered() as world:
        world.hand_over()
        (first,) = world.heard()
        assert isinstance(first, Failover)
        world.handover.note(GIVEN_UP)
        assert world.heard() == []
        world.handover.note(replace(STARTED, why=why.value))
        (again,) = world.heard()
        assert isinstance(again, Failover)
        assert 0 < again.hold < first.hold


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(replace(STARTED, repeated=True), id="only a status"),
        pytest.param(replace(STARTED, state="fault"), id="in fault"),
        pytest.param(replace(STARTED, instance="other"), id="another"),
    ],
)
async def test_nobody_else_is_held_back(report: Transition) -> None:
    async with mastered() as world:
        world.hand_over()
        world.heard()
        world.handover.note(report)
        assert world.heard() == []


async def test_what_is_over_is_not_told_again() -> None:
    async with mastered() as world:
        world.hand_over(until=datetime.now(UTC))
        world.heard()
        world.handover.note(STARTED)
        assert world.heard() == []
        world.handover.note(MASTER)
        world.hand_over()
        world.handover.take(FAILOVER.model_copy(update={"failover": False}), datetime.now(UTC))
        assert [type(one) for one in world.heard()] == [Failover, Release]
        world.handover.note(STARTED)
        assert world.heard() == []
        world.handover.note(MASTER)
        world.hand_over()
        world.handover.note(replace(MASTER, why=Why.UNCLAIMED.value))
        world.handover.note(STARTED)
        assert [type(one) for one in world.heard()] == [Failover]

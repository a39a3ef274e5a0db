"""A process stopped in the midst of a turn says nothing as the master that it was."""

import time
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from tests.vrrp.shell.test_roster import FIRST, ONE, begun
from tests.vrrp.shell.test_roster import file as file  # noqa: PLC0414 - a fixture

from libra_vrrp.codec import Datagram
from libra_vrrp.router import challenges, datagrams
from libra_vrrp.shell.last_look import veiled
from libra_vrrp.shell.machine import Machine
from libra_vrrp.shell.pulse import Routing
from libra_vrrp.shell.speech import Speech
from libra_vrrp.states import Backup, Master, State
from libra_vrrp.vmac import Vmac


class Thawed(Machine):
    """A machine whose routers were begun at 0.0, and whose sockets are a list."""

    def __init__(self, file: Path) -> None:
        ground = begun(file, ONE)
        self.sent: list[object] = []
        self._roster, self.seals = ground.roster, ground.seals
        self._pulse = SimpleNamespace(work=lambda _: None)  # type: ignore[assignment]
        wire = SimpleNamespace(send=self._put)
        self.links = self._announcer = wire  # type: ignore[assignment]
        self._speech = Speech(self.links, self._announcer)

    def _put(self, _where: object, what: object) -> bool:
        self.sent.append(what)
        return True


@pytest.fixture
def machine(file: Path, monkeypatch: pytest.MonkeyPatch) -> Thawed:
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    clock[0] = 0.0
    return Thawed(file)


clock = [0.0]


def words(machine: Thawed) -> tuple[Datagram, Datagram, Datagram]:
    [router] = machine._roster
    [master], [end] = datagrams(router.router, 255), datagrams(router.router, 0)
    [challenge] = challenges(router.router)
    return master, end, challenge


def test_past_its_fence_a_master_says_only_that_it_gives_up(machine: Thawed) -> None:
    """Found by review: thawed within a batch, it went on to answer as the master."""
    master, end, challenge = words(machine)
    assert [machine.send(ONE, one) for one in (master, end, challenge)] == [True] * 3
    clock[0] = 60.0
    assert [machine.send(ONE, one) for one in (master, end, challenge)] == [False, True, True]
    assert machine.sent == [master, end, challenge, end, challenge]


def test_past_its_fence_a_master_announces_nothing(machine: Thawed) -> None:
    assert machine.announce("eth0", FIRST.packed, until=1.5)
    clock[0] = 60.0
    assert not machine.announce("eth0", FIRST.packed, until=1.5)
    assert machine.sent == [FIRST.packed]


@pytest.mark.parametrize(
    ("state", "vmac", "held_until", "is_veiled"),
    [
        pytest.param(Master(6.0, 0.0), Vmac("vrrp4-51"), 2.0, True, id="a master"),
        pytest.param(Master(6.0, 0.0), Vmac("vrrp4-51"), 1.0, False, id="one past its fence"),
        pytest.param(Master(6.0, 0.0), Vmac("vrrp4-51", xmit_base=True), 2.0, False, id="base"),
        pytest.param(Master(6.0, 0.0), None, 2.0, False, id="without a virtual MAC"),
        pytest.param(Backup(9.0, 1.0, 0.0), Vmac("vrrp4-51"), 2.0, False, id="a backup"),
    ],
)
def test_a_virtual_mac_is_a_masters_alone(
    state: State, vmac: Vmac | None, held_until: float, *, is_veiled: bool
) -> None:
    one = SimpleNamespace(order=replace(ONE, vmac=vmac), state=state, held_until=held_until)
    said = Datagram(IPv4Address("192.0.2.1"), IPv4Address("224.0.0.18"), b"\x31\x33\x64\x01")
    assert veiled(cast("Routing", one), said, 1.0) == is_veiled
    assert not veiled(None, said, 1.0)

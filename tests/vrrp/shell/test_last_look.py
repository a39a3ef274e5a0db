"""A process stopped in the midst of a turn says nothing as the master that it was."""

import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.vrrp.shell.test_roster import FIRST, ONE, begun
from tests.vrrp.shell.test_roster import file as file  # noqa: PLC0414 - a fixture

from libra_vrrp.codec import Datagram
from libra_vrrp.router import challenges, datagrams
from libra_vrrp.shell.machine import Machine


class Thawed(Machine):
    """A machine whose routers were begun at 0.0, and whose sockets are a list."""

    def __init__(self, file: Path) -> None:
        ground = begun(file, ONE)
        self.sent: list[object] = []
        self._roster, self.seals = ground.roster, ground.seals
        self._pulse = SimpleNamespace(work=lambda _: None)  # type: ignore[assignment]
        wire = SimpleNamespace(send=self._put)
        self.links = self._announcer = wire  # type: ignore[assignment]

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

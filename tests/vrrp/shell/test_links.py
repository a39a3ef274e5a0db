"""A router hears, or is in fault: who hears no master becomes one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from select import select

import pytest
from tests.vrrp.shell.test_roster import LINK, ONE, Ground, states
from tests.vrrp.shell.test_roster import file as file  # noqa: PLC0414 - a fixture

from libra_vrrp import kept
from libra_vrrp.interfaces import fold
from libra_vrrp.orders import Channel
from libra_vrrp.shell import links
from libra_vrrp.shell.aside import Aside
from libra_vrrp.shell.link import Link
from libra_vrrp.shell.links import Links
from libra_vrrp.shell.roster import Roster

REFUSED = "no VRRP socket on eth0: No buffer space available"


class Socket(Link):
    """Opens only while the kernel lets it."""

    is_refused = False

    def __init__(self, channel: Channel, index: int) -> None:
        if self.is_refused:
            raise OSError(105, "No buffer space available")
        self.channel, self.index = channel, index

    def close(self) -> None:
        pass


class Node:
    """A node with one router, and real `Links` over sockets that may be refused."""

    def __init__(self, file: Path) -> None:
        file.write_bytes(kept.dump_instances((replace(ONE, priority=200),)))
        self.aside = Aside()
        self.links = Links(self.aside, lambda _, now: self._opened(now), lambda _: None)
        self.ground = Ground(Roster(file, None), links=self.links)
        self.ground.roster.reload(self.ground, 0.0)

    def look(self, now: float, until: Callable[[], bool] | None = None) -> None:
        """Do what the machine does at a notice, and after what comes of it."""
        [router] = self.ground.roster
        self.links.reconcile({router.order.channel}, self.ground.interfaces)
        if until is not None:
            while not until():
                assert select([self.aside], [], [], 60)[0]
                self.aside.follow_up(now)
        self._opened(now)

    def _opened(self, now: float) -> None:
        self.ground.roster.start(self.ground, self.links, now)
        for one in self.ground.roster:
            one.look(now)

    @property
    def detail(self) -> str:
        [router] = self.ground.roster
        return router.status(0.0).detail

    def lacks(self) -> str | None:
        return self.links.fault(ONE.channel)


@pytest.fixture
def node(file: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    monkeypatch.setattr(links, "Link", Socket)
    monkeypatch.setattr(Socket, "is_refused", False)
    return Node(file)


def test_a_router_without_a_socket_is_in_fault_until_there_is_one(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by review: it went on as if all were silent, and became master."""
    monkeypatch.setattr(Socket, "is_refused", True)
    node.look(1.0, until=lambda: node.lacks() is not None)
    assert (states(node.ground), node.detail) == (["fault"], REFUSED)
    assert node.links.retry_at == 2.0
    node.look(2.0, until=lambda: node.links.retry_at == 3.0)
    assert (states(node.ground), node.detail) == (["fault"], REFUSED)
    monkeypatch.setattr(Socket, "is_refused", False)
    node.look(3.0, until=lambda: node.lacks() is None)
    assert states(node.ground) == ["backup"]


def test_who_is_to_be_looked_at_sooner_does_not_wait_for_a_socket_that_is_refused(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Socket, "is_refused", True)
    node.look(1.0)
    node.links.look_at(1.2)
    assert select([node.aside], [], [], 60)[0]
    node.aside.follow_up(1.1)
    assert (node.lacks(), node.links.retry_at) == (REFUSED, 1.2)


def test_a_router_whose_interface_was_made_anew_is_in_fault_until_its_socket_is(
    node: Node,
) -> None:
    node.look(1.0, until=lambda: not node.links.is_opening(ONE.channel))
    assert states(node.ground) == ["backup"]
    node.ground.interfaces = fold(node.ground.interfaces, [replace(LINK, index=2, name="gone")])
    node.ground.interfaces = fold(node.ground.interfaces, [replace(LINK, index=3)])
    node.look(2.0)
    assert (states(node.ground), node.detail) == (["fault"], "no VRRP socket on eth0 yet")

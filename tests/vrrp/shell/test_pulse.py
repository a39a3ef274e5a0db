"""What the machine tells its guard: before it acts, once, and with a sign of life in time."""

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

import pytest

from libra_vrrp import wills
from libra_vrrp.codec import decode_packet
from libra_vrrp.guarding import (
    Message,
    Revoked,
    Settled,
    Superseded,
    Tethered,
    Untethered,
    Will,
)
from libra_vrrp.interfaces import Interfaces, fold
from libra_vrrp.orders import Instance, Place
from libra_vrrp.renewal import Renew
from libra_vrrp.router import Router
from libra_vrrp.routing import Entry, Kind
from libra_vrrp.rtnetlink import LinkHeld, Target
from libra_vrrp.shell import page
from libra_vrrp.shell.page import Page
from libra_vrrp.shell.pulse import Pulse
from libra_vrrp.states import Backup, Master, State

NOW = 100.0
OWN, VIP = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.10")
TARGETS = (Target(2, VIP),)
WAY = Entry(Kind.RULE, b"\x02", "rule 100: from all lookup 7")
RENEW = Renew("front", 1, TARGETS, 2, 0.0, 1.5, (WAY,))
ETH0 = fold(Interfaces(), [LinkHeld(2, "eth0", up=True, mac=b"\2\0\0\0\0\1")])


@dataclass
class One:
    """A virtual router, as far as its guard knows it."""

    state: State
    router: Router
    order: Instance
    held_until: float = float("inf")


@dataclass
class Desk:
    """A pulse, the guard's end of it, and the page."""

    pulse: Pulse
    guard: socket.socket
    page: Page

    def heard(self) -> list[Message]:
        found = []
        while True:
            try:
                found.append(wills.loads(self.guard.recv(1 << 16)))
            except BlockingIOError:
                return found


@pytest.fixture
def desk() -> Iterator[Desk]:
    guard, machine = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (guard, machine):
        end.setblocking(False)
    with page.made() as memory:
        shared = Page(memory)
    yield Desk(Pulse(machine, shared), guard, shared)
    guard.close()
    machine.close()


def master(interval: float = 1.0) -> One:
    router = Router(51, 150, OWN, (VIP,), interval)
    order = Instance("front", "eth0", 51, 150, (Place("eth0", VIP),), interval)
    return One(Master(advert_at=NOW + interval, since=NOW), router, order)


def test_nothing_is_promised_before_anything_is_held(desk: Desk) -> None:
    assert desk.page.promised == float("inf")
    desk.pulse.beat([], NOW, settled=False)
    assert desk.page.promised == float("inf")
    assert desk.heard() == []


def test_a_will_names_the_addresses_and_the_packet_of_priority_0_and_is_told_once(
    desk: Desk,
) -> None:
    one = master()
    for _ in range(2):
        desk.pulse.bequeath(one, RENEW, ETH0)
    (will,) = desk.heard()
    assert isinstance(will, Will)
    assert (will.instance, will.interval, will.targets) == ("front", 1.0, TARGETS)
    assert will.entries == (WAY,)
    (word,) = will.words
    datagram = decode_packet(word.packet)
    assert (word.index, str(datagram.destination)) == (2, "224.0.0.18")
    assert (datagram.source, datagram.message[2]) == (OWN, 0)


def test_a_will_names_what_was_laid_on_an_interface_that_has_another_name_now(desk: Desk) -> None:
    now, before = Entry(Kind.ROUTE, b"now"), Entry(Kind.ROUTE, b"before")
    desk.pulse.bequeath(master(), replace(RENEW, entries=(now,)), ETH0)
    desk.pulse.bequeath(master(), replace(RENEW, entries=(now,), left=(before,)), ETH0)
    told = [one for one in desk.heard() if isinstance(one, Will)]
    assert [one.entries for one in told] == [(now,), (now, before)]


def test_without_its_interface_a_router_has_no_last_word(desk: Desk) -> None:
    desk.pulse.bequeath(master(), RENEW, Interfaces())
    (will,) = desk.heard()
    assert isinstance(will, Will)
    assert will.words == ()


def test_a_router_that_is_gone_leaves_nothing(desk: Desk) -> None:
    desk.pulse.bequeath(None, RENEW, ETH0)
    assert desk.heard() == []


def test_what_is_held_no_more_is_revoked_and_nothing_is_promised(desk: Desk) -> None:
    one = master()
    desk.pulse.bequeath(one, RENEW, ETH0)
    desk.pulse.beat([one], NOW, settled=True)
    assert desk.page.promised == NOW + 2.5
    one.state = Backup(down_at=NOW + 3, interval=1.0, since=NOW)
    desk.pulse.beat([one], NOW + 0.5, settled=True)
    assert desk.page.promised == float("inf")
    assert desk.heard()[1:] == [Settled(), Revoked("front")]


def test_a_sign_of_life_is_owed_where_one_was_given_a_moment_ago(desk: Desk) -> None:
    one = master()
    desk.pulse.beat([one], NOW, settled=True)
    assert desk.pulse.owed_at == float("inf")
    desk.pulse.beat([], NOW + 0.1, settled=True)
    assert desk.page.promised == NOW + 2.5
    desk.pulse.beat([], desk.pulse.owed_at, settled=True)
    assert desk.page.promised == float("inf")
    assert desk.pulse.owed_at == float("inf")


def test_a_lease_that_is_not_confirmed_ends_the_promise(desk: Desk) -> None:
    one = master(interval=10.0)
    one.held_until = NOW + 1.5
    desk.pulse.beat([one], NOW, settled=True)
    assert desk.page.promised == pytest.approx(NOW + 1.6)
    one.held_until = NOW + 2.0
    desk.pulse.beat([one], NOW + 0.5, settled=True)
    assert desk.page.promised == pytest.approx(NOW + 2.1)


def test_a_lease_that_ended_or_was_renewed_at_the_last_moment_is_told_at_once(desk: Desk) -> None:
    """Found by the simulation: the guard killed a machine that had stepped down in time."""
    one = master(interval=10.0)
    one.held_until = NOW + 0.1
    desk.pulse.beat([one], NOW, settled=True)
    desk.pulse.beat([one], NOW + 0.05, settled=True)
    assert desk.pulse.owed_at == pytest.approx(NOW + 0.1)
    one.held_until = NOW + 2.0
    desk.pulse.beat([one], desk.pulse.owed_at, settled=True)
    assert desk.page.promised == pytest.approx(NOW + 2.1)
    one.state = Backup(down_at=NOW + 30, interval=10.0, since=NOW)
    desk.pulse.beat([one], NOW + 2.0, settled=True)
    assert desk.page.promised == float("inf")


def test_who_has_nothing_to_say_owes_nothing(desk: Desk) -> None:
    desk.pulse.beat([], NOW, settled=True)
    desk.pulse.beat([], NOW + 0.1, settled=True)
    assert desk.pulse.owed_at == float("inf")


def test_work_in_the_midst_of_a_round_is_a_sign_of_life(desk: Desk) -> None:
    desk.pulse.beat([master()], NOW, settled=True)
    desk.pulse.work(NOW + 1)
    assert desk.page.promised == NOW + 2.5
    desk.pulse.work(NOW + 2.5)
    assert desk.page.promised > NOW + 2.5


def test_what_the_guard_could_not_take_is_said_again(desk: Desk) -> None:
    wills = 0
    one = master()
    while not desk.pulse.is_waiting:
        wills += 1
        desk.pulse.bequeath(one, replace(RENEW, targets=(Target(wills, VIP),)), ETH0)
    first = desk.heard()
    desk.pulse.beat([one], NOW, settled=False)
    assert len(first) + len(desk.heard()) == wills


def test_an_orderly_end_revokes_what_was_released(desk: Desk) -> None:
    desk.pulse.bequeath(master(), RENEW, ETH0)
    desk.heard()
    desk.pulse.rest()
    assert desk.page.promised == float("inf")
    desk.pulse.end((), released=False)
    assert desk.heard() == []
    desk.pulse.end(("front",), released=True)
    assert desk.heard() == []
    desk.pulse.end(("back",), released=True)
    assert desk.heard() == [Revoked("front")]


def test_a_tether_is_passed_to_the_guard_after_all_that_was_said_before(desk: Desk) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        desk.pulse.bequeath(master(), RENEW, ETH0)
        assert desk.pulse.entrust("b 7.1", ours)
        desk.pulse.let_go("b 7.1")
        desk.pulse.supersede("b")
        desk.guard.recv(1 << 16)
        said, passed, *_ = socket.recv_fds(desk.guard, 1 << 16, 1)
        assert wills.loads(said) == Tethered("b 7.1")
        with socket.socket(fileno=passed[0]) as held:
            held.send(b"x")
            assert theirs.recv(1) == b"x"
    assert desk.heard() == [Untethered("b 7.1"), Superseded("b")]


def test_a_tether_is_not_passed_where_the_guard_does_not_hear(desk: Desk) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        while desk.pulse.entrust("b 7.1", ours):
            pass
        desk.pulse.let_go("b 7.1")
        assert desk.pulse.is_waiting
        assert not desk.pulse.entrust("b 7.2", ours)
        for said, passed, *_ in iter(lambda: received(desk.guard), None):
            assert wills.loads(said) == Tethered("b 7.1")
            for one in passed:
                os.close(one)
        assert desk.pulse.entrust("b 7.2", ours)


def received(guard: socket.socket) -> tuple[bytes, list[int], int, object] | None:
    """Return what waits, with what was passed; None if nothing."""
    try:
        return socket.recv_fds(guard, 1 << 16, 1)
    except BlockingIOError:
        return None

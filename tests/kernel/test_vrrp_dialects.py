"""Beside the real keepalived (2.2.7) in every dialect that both speak, each in either role.

A story is one election after another, told in all dialects side by side. In none of its steps are
there two masters for longer than the protocol allows, and the client's cache follows the address.

`checksum: rfc9568` is in none of them: this keepalived has no `v3_checksum_as_v2`, and refuses what
is summed without the pseudo header. It is held to a packet that was summed by hand
(tests/vrrp/codec/test_message.py).
"""

import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.kernel.dialects import DIALECTS, LEASE_ENDS, RELOAD, Dialect, Table, beside
from tests.kernel.stages import restarted
from tests.kernel.stages import strike as power_off

from libra_vrrp.orders import Place
from libra_vrrp.router import Never

if TYPE_CHECKING:
    from tests.kernel.conftest import Director, Pair

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("keepalived") is None, reason="keepalived is not installed"),
]

SECOND = IPv4Address("192.0.2.11")
VIPS = {53: IPv4Address("192.0.2.12"), 54: IPv4Address("192.0.2.13")}
V2_PASS, UNICAST, UNICAST_6 = DIALECTS[1], DIALECTS[3], DIALECTS[5]
SLOWLY = [replace(each, interval=1.0) for each in DIALECTS]
"""At this pace a machine that was killed is adopted, and nobody takes over (ADR 13)."""
OTHERS: list[dict[str, Any]] = [
    {"authentication": b"other"}, {"authentication": None}, {"interval": 2.0}
]  # fmt: skip

Told = Callable[[list[Dialect], Callable[[Table], None]], None]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """Return how a story is told in some dialects."""
    return lambda dialects, story: beside(dialects, tmp_path, story)


def test_a_lower_keepalived_gives_way_takes_over_and_gives_way_again(told: Told) -> None:
    def story(one: Table) -> None:
        ours, peer = one.a, one.b
        with one.keepalived(peer):
            one.settle("b")
            since = time.monotonic()
            ours.start()
            one.passes("a", since)  # we preempt
            one.rests("a")
            one.is_cut(ours, "b")
            one.heals("a", ours)
            since = time.monotonic()
            power_off(ours)
            by = time.monotonic() + one.patience("b")
            one.passes("b", since, by, shared=LEASE_ENDS)
            since = time.monotonic()
            ours.start()
            one.passes("a", since)
            since = time.monotonic()
            ours.stop()
            one.passes("b", since, one.hurried("a", since, "b"))

    told(DIALECTS, story)


def test_a_higher_keepalived_is_given_way_is_followed_and_is_replaced(told: Told) -> None:
    def story(one: Table) -> None:
        ours, peer = one.b, one.a
        ours.start()
        one.settle("b")
        since = time.monotonic()
        with one.keepalived(peer):
            one.passes("a", since, since + RELOAD + one.patience("a"))  # it preempts
            one.rests("a")
            one.is_cut(peer, "b")
            one.heals("a", peer)
            since = time.monotonic()
        one.passes("b", since, one.hurried("a", since, "b"))
        since = time.monotonic()
        with one.keepalived(peer):
            one.passes("a", since)
            one.splits("b", partial(power_off, peer))  # it leaves its address behind
            one.forget(peer)
            one.passes("b", time.monotonic())

    told(DIALECTS, story)


def test_who_is_master_stays_it_without_preemption_until_priorities_change(told: Told) -> None:
    def story(one: Table) -> None:
        ours, peer = one.b, one.a
        ours.start()
        one.settle("b")
        with one.keepalived(peer, "nopreempt") as process:
            one.is_backup(peer)
            one.rests("b")
            one.passes("a", *changed(one, process, 150))  # now it preempts
            ours.order = replace(ours.order, preempt=Never())
            we_change(one, ours, 200)
            one.rests("a")  # we do not
            ours.order = replace(ours.order, preempt=peer.order.preempt)
            one.passes("b", *we_change(one, ours, 200))  # now we do
            one.passes("a", *we_change(one, ours, 50))
            one.passes("b", *changed(one, process, 20))
            one.passes("a", *changed(one, process, 250))

    told(DIALECTS, story)


def changed(one: Table, process: Any, priority: int) -> tuple[float, float]:
    """Give keepalived, on a, another priority; return when, and by when it has its effect."""
    one.priorities["a"] = priority
    one.configure(one.a)
    since = time.monotonic()
    process.send_signal(signal.SIGHUP)
    return since, since + RELOAD + max(one.patience("a"), one.patience("b"))


def we_change(one: Table, ours: "Director", priority: int) -> tuple[float, float]:
    """Give us, on b, another priority; return when, and by when it has its effect."""
    one.priorities["b"] = priority
    ours.order = replace(ours.order, priority=priority)
    since = time.monotonic()
    ours.reload()
    return since, since + max(one.patience("a"), one.patience("b"))


def test_a_tie_goes_to_the_higher_address_ours_or_that_of_keepalived(told: Told) -> None:
    def story(one: Table) -> None:
        one.priorities |= {"a": 150, "b": 150}
        one.b.order = replace(one.b.order, priority=150)
        one.b.write()
        for ours, peer in ((one.a, one.b), (one.b, one.a)):
            with one.keepalived(peer):
                master = peer.node.name
                one.settle(master)
                ours.start()
                one.listens(ours)
                one.rests(master)
                one.is_cut(peer, ours.node.name)
                ends = {name: one.seen.words_of(name, 0.0)[-1].source for name in "ab"}
                one.heals(max(ends, key=lambda name: ends[name].packed), peer)
                ours.stop()

    told(DIALECTS, story)


def test_a_killed_machine_of_ours_is_adopted_and_keepalived_hears_no_difference(
    told: Told,
) -> None:
    def story(one: Table) -> None:
        ours, peer = one.a, one.b
        ours.start()
        one.settle("a")
        with one.keepalived(peer):
            one.is_backup(peer)
            one.rests("a")
            since, before = time.monotonic(), ours.pid("machine")
            ours.signal(signal.SIGKILL, "machine")
            restarted(ours, before)
            one.rests("a")
            assert one.seen.moves(since) == []
            assert {word.name for word in one.seen.words if word.at >= since} == {"a"}

    told(SLOWLY, story)


def test_another_password_another_interval_and_none_are_not_heard(told: Told) -> None:
    """Two masters are what PASS is for: whoever does not know it is no router of this network."""

    def story(one: Table) -> None:
        ours, right = one.a, one.a.order
        with one.keepalived(one.b):
            one.settle("b")
            since = time.monotonic()
            ours.start()
            one.passes("a", since)
            for wrong in (
                {"authentication": b"other"},
                {"authentication": None},
                {"interval": 2.0},
            ):
                fields: dict[str, Any] = wrong
                ours.order = replace(right, **fields)
                one.splits("b", ours.reload)
                ours.order = right
                since = time.monotonic()
                ours.reload()
                one.passes("a", since, since + one.dialect.interval)

    told([V2_PASS], story)


def test_the_guard_speaks_as_its_machine_did(told: Told) -> None:
    """A machine that hangs is handed over, in every dialect, before the others lose patience."""

    def story(one: Table) -> None:
        dialect = one.dialect
        one.a.order = replace(one.a.order, preempt=Never())  # once back it takes nothing away
        one.a.write()
        one.a.start()
        one.settle("a")
        one.b.start()
        one.listens(one.b)
        to = f" and dst {dialect.host(2)}" if dialect.unicast else ""
        said = f"proto 112 and src {dialect.host(1)}{to}"
        with one.b.node.capture("eth0", said, "-v") as heard:
            one.rests("a")
            since = time.monotonic()
            one.a.signal(signal.SIGSTOP, "machine")
            heard.wait_for(rf"VRRPv{dialect.version}, .*vrid 51, prio 0, ")
            one.passes("b", since, since + one.patience("b"))
        if dialect.password:
            assert "authtype simple" in "".join(heard.lines)

    told([V2_PASS, UNICAST, UNICAST_6], story)


def test_instances_that_are_spoken_to_alike_share_a_socket(pair: "Pair") -> None:
    back = replace(pair.a.order, name="back", vrid=52, places=(Place("eth0", SECOND),))
    ours: dict[str, Any] = {
        "source": IPv4Address("192.0.2.1"),
        "peers": (IPv4Address("192.0.2.2"),),
    }
    far = [replace(back, name=f"far{n}", vrid=n, **ours) for n in (53, 54)]
    far = [replace(one, places=(Place("eth0", VIPS[one.vrid]),)) for one in far]
    pair.a.others = (back, *far)
    pair.a.write()
    pair.a.start()
    for address in (SECOND, *VIPS.values()):
        pair.soon(partial(pair.a.owns, address), f"a owns {address}")
    listed = pair.a.node.run("cat", "/proc/net/raw").stdout.splitlines()[1:]
    vrrp = [line.split()[1] for line in listed if line.split()[1].endswith(":0070")]
    assert sorted(vrrp) == ["00000000:0070", "010200C0:0070"]

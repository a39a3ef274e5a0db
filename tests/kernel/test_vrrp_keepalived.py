"""Beside the real keepalived (2.2.7): what only some dialects or some routers have.

Learned intervals, owners, lists of addresses and delayed preemption; in either role.
"""

import shutil
import time
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from tests.kernel.conftest import PATIENCE, Director, until
from tests.kernel.dialects import DIALECTS, LEASE_ENDS, RELOAD, Table, beside, listed
from tests.kernel.stages import BUSY
from tests.kernel.stages import strike as power_off

from libra_vrrp.orders import Place
from libra_vrrp.router import After, Never

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("keepalived") is None, reason="keepalived is not installed"),
]

SLOW = 1.0
"""Seconds between the adverts of who is learned from; four are longer than anyone else waits."""
DELAY = 2.0
PLACES = tuple(IPv4Address(f"192.0.2.{host}") for host in (10, 12, 11))
"""In the config's order, which is that of no number."""
EXCLUDED = IPv4Address("192.0.2.13")
EXCLUDING = f"""
  virtual_ipaddress_excluded {{
    {listed([EXCLUDED])}
  }}"""
V2, V3, V3_UNICAST = DIALECTS[0], DIALECTS[2], DIALECTS[3]


def test_the_interval_of_a_slower_master_is_learned_by_us_and_by_keepalived(tmp_path: Path) -> None:
    """RFC 9568 section 6.1: Active_Down_Interval is counted in the intervals of the master."""

    def story(one: Table) -> None:
        ours, peer = one.b, one.a
        slow = replace(one.dialect, interval=SLOW)
        ours.start()
        one.settle("b")
        since = time.monotonic()
        with one.keepalived(peer, config=slow.config(1, 150, "", [slow.vip])):
            one.passes("a", since)
            one.rests("a")
            power_off(peer)
            took_over_from_slow(one, "b", "a", time.monotonic())
            one.forget(peer)
            pace = [word.at for word in one.seen.words_of("b", since)]
            told = "we are back at our own pace"
            until(lambda: len(one.seen.words_of("b", pace[-1])) > 4, PATIENCE, told)
            pace = [word.at for word in one.seen.words_of("b", pace[-1])]
            assert pace[4] - pace[0] <= 4 * one.dialect.interval + BUSY
        ours.stop()
        learned_from_us(one)

    beside(DIALECTS[2:], tmp_path, story)


def learned_from_us(one: Table) -> None:
    ours, peer = one.a, one.b
    ours.order = replace(ours.order, interval=SLOW)
    ours.write()
    ours.start()
    one.settle("a")
    with one.keepalived(peer):
        one.is_backup(peer)
        since = time.monotonic()
        until(lambda: len(one.seen.words_of("a", since)) > 1, PATIENCE, "it has heard us")
        one.passes("a", since)
        one.rests("a")
        power_off(ours)
        dead = time.monotonic()
        took_over_from_slow(one, "b", "a", dead)
        one.passes("b", dead, shared=LEASE_ENDS)


def took_over_from_slow(one: Table, heir: str, dead: str, since: float) -> None:
    """Wait until one has taken over: three long intervals and its skew after the last word."""
    until(lambda: one.seen.words_of(heir, since), PATIENCE, f"{heir} takes over")
    waited = one.seen.words_of(heir, since)[0].at - one.seen.words_of(dead, 0.0)[-1].at
    patience = replace(one.dialect, interval=SLOW).patience(one.priorities[heir])
    assert 3 * SLOW < waited <= patience + BUSY


def test_an_owner_is_given_way_whoever_it_is_and_whatever_is_preempted(tmp_path: Path) -> None:
    """Priority 255 takes over at once, and no `preempt: false` holds it back (RFC 9568, 6.4.1)."""

    def story(one: Table) -> None:
        ours, peer = one.a, one.b
        one.priorities["a"] = 255
        ours.order = replace(ours.order, priority=255, preempt=Never())
        ours.write()
        with one.keepalived(peer):
            one.settle("b")
            since = time.monotonic()
            ours.start()
            one.passes("a", since)
            one.rests("a")
            one.is_cut(peer, "b")
            one.heals("a", peer)
            since = time.monotonic()
            ours.stop()
            one.passes("b", since, one.hurried("a", since, "b"))
        one.b.start()
        one.settle("b")
        since = time.monotonic()
        with one.keepalived(one.a):
            one.passes("a", since, since + RELOAD)
            one.rests("a")
            since = time.monotonic()
        one.passes("b", since, one.hurried("a", since, "b"))

    beside(DIALECTS, tmp_path, story)


def holds_all(director: Director) -> bool:
    return all(director.owns(address) for address in (*PLACES, EXCLUDED))


def holds_any(director: Director) -> bool:
    return any(director.owns(address) for address in (*PLACES, EXCLUDED))


def test_addresses_go_over_together_as_both_list_them(tmp_path: Path) -> None:
    """Whoever lists others is dropped by keepalived 2.2.7, and obeyed (and counted) by us."""

    def story(one: Table) -> None:
        places = tuple(Place("eth0", address) for address in PLACES)
        for director in (one.a, one.b):
            excluded = (Place("eth0", EXCLUDED),)
            director.order = replace(director.order, places=places, excluded=excluded)
            director.write()
        lower, higher = (
            one.dialect.config(number, priority, EXCLUDING, PLACES)
            for number, priority in ((2, 100), (1, 150))
        )
        with one.keepalived(one.b, config=lower):
            one.settle("b")
            until(partial(holds_all, one.b), PATIENCE, "every address is there")
            since = time.monotonic()
            one.a.start()
            all_pass(one, one.a, one.b, since)
            lists_alike(one, one.a)
            one.rests("a")
            differ_from_a_keepalived_that_drops_it(one)
            since = time.monotonic()
            one.a.stop()
            all_pass(one, one.b, one.a, since)
            lists_alike(one, one.b)
        one.b.order = replace(one.b.order, places=places[:2])
        one.b.write()
        one.b.start()
        one.settle("b")
        since = time.monotonic()
        with one.keepalived(one.a, config=higher):
            all_pass(one, one.a, one.b, since)
            one.rests("a")  # whatever it lists

    beside([V2, V3, V3_UNICAST], tmp_path, story)


def all_pass(one: Table, to: Director, of: Director, since: float) -> None:
    """Wait until one has every address, and see that the other has none."""
    one.passes(to.node.name, since)
    until(partial(holds_all, to), PATIENCE, "every address is there")
    assert not holds_any(of)


def lists_alike(one: Table, director: Director) -> None:
    """See a master list its addresses in the config's order, and none that is excluded."""
    said = f"proto 112 and src {one.dialect.host(1 if director is one.a else 2)}"
    with director.node.capture("eth0", said, "-v") as heard:
        heard.wait_for(f"addrs\\(3\\): {','.join(map(str, PLACES))}$")


def differ_from_a_keepalived_that_drops_it(one: Table) -> None:
    right = one.a.order
    one.a.order = replace(right, places=right.places[:2])
    one.splits("b", one.a.reload)
    one.a.order = right
    since = time.monotonic()
    one.a.reload()
    all_pass(one, one.a, one.b, since)


def test_a_delayed_preemption_waits_for_its_time(tmp_path: Path) -> None:
    def story(one: Table) -> None:
        long = DELAY + 2 * one.dialect.interval + one.patience("a")
        one.b.start()
        one.settle("b")
        since = time.monotonic()
        with one.keepalived(one.a, f"preempt_delay {DELAY:g}"):
            one.passes("a", since, since + RELOAD + long)
            assert one.seen.words_of("a", since)[0].at > since + DELAY
        one.passes("b", since)
        one.b.stop()
        one.a.order = replace(one.a.order, preempt=After(DELAY))
        one.a.write()
        with one.keepalived(one.b):
            one.settle("b")
            since = time.monotonic()
            one.a.start()
            one.listens(one.a)
            one.passes("a", since, time.monotonic() + long)
            assert one.seen.words_of("a", since)[0].at > since + DELAY

    beside([V2, V3], tmp_path, story)

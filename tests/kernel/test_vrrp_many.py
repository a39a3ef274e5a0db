"""255 virtual routers on one interface: their adverts are in time, and all of them move."""

import json
import re
import signal
import time
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from tests.kernel.conftest import Director, Pair
from tests.kernel.stages import BUSY, Note, patience, strike
from tests.kernel.stages import note as note  # noqa: PLC0414 - a fixture
from tests.kernel.test_vrrp_alone import scraped

from libra_vrrp.orders import Place
from libra_vrrp.tether.ends import Ends
from libra_vrrp.vmac import Vmac

pytestmark = pytest.mark.campaign

INTERVAL = 1.0
ALL = frozenset(IPv4Address("10.2.0.0") + vrid for vrid in range(1, 256))
LATEST = 0.1
"""Seconds; a tenth of the interval, as row `vrrp-load` of design §12 has it."""
ADVERTS = 12
"""How often each router speaks while it is watched; the second announcements are among them."""
OWN = {"a": IPv4Address("192.0.2.1"), "b": IPv4Address("192.0.2.2")}
MASTER = re.compile(
    r'"type": "vrrp\.master", .*?"instance": "(.+?)".*?"took_ms": ([0-9.]+), "takeover"'
)


def held(director: Director) -> set[IPv4Address]:
    """Return which of the addresses the kernel of a director holds, on what is up."""
    links = json.loads(director.node.run("ip", "-4", "-j", "addr", "show", "up").stdout)
    return {IPv4Address(one["local"]) for link in links for one in link.get("addr_info", ())} & ALL


def late(director: Director) -> dict[float, float]:
    """Return the machine's histogram: by bound in seconds, how many adverts were no later."""
    begins = "libra_vrrp_advert_late_seconds_bucket{"
    figures = scraped(director).items()
    return {float(name.split('"')[1]): count for name, count in figures if name.startswith(begins)}


def said(director: Director) -> int:
    """Return how many adverts a machine has sent."""
    return int(late(director).get(float("inf"), 0))


def masters(director: Director) -> list[tuple[str, float]]:
    """Return which routers became master, and after how many seconds without the old one."""
    assert director.log is not None
    found = MASTER.findall(director.log.read_text()) if director.log.exists() else []
    return [(name, float(took) / 1000) for name, took in found]


def are_owned_by(owner: Director, other: Director) -> bool:
    """Say whether one director has all addresses, and the other has none."""
    return held(owner) == ALL and not held(other)


def begin(pair: Pair, logs: Path, *, veiled: bool = False) -> None:
    """Start both with 255 routers, tied, a master of all; `veiled` ones have a virtual MAC each."""
    for director, other in ((pair.a, "b"), (pair.b, "a")):
        own = OWN[director.node.name]
        tether = Ends(own, 9645, ((other, OWN[other]),))
        common = replace(director.order, interval=INTERVAL, tether=tether)
        director.order, *others = (
            replace(
                common,
                name=f"front{vrid}",
                vrid=vrid,
                places=(Place(f"vrrp4-{vrid}" if veiled else "eth0", address),),
                vmac=Vmac(f"vrrp4-{vrid}") if veiled else None,
            )
            for vrid, address in enumerate(sorted(ALL), 1)
        )
        director.others = tuple(others)
        director.environment = {"LIBRA_METRICS_PORT": "9642"}
        director.log = logs / f"{director.node.name}.log"
        director.write()
    pair.a.start()
    pair.soon(lambda: held(pair.a) == ALL, "a has all addresses")
    pair.b.start()
    pair.soon(pair.b.listens, "b listens")


@pytest.fixture
def many(pair: Pair, tmp_path: Path) -> Pair:
    """Return the pair with all of them."""
    begin(pair, tmp_path)
    return pair


@pytest.fixture
def veiled(pair: Pair, tmp_path: Path) -> Pair:
    """Return the pair with all of them, and a virtual MAC for each."""
    begin(pair, tmp_path, veiled=True)
    return pair


def test_255_routers_hold_their_intervals_and_all_move_when_their_master_is_cut_off(
    many: Pair, note: Note
) -> None:
    a, b = many.a, many.b
    many.soon(lambda: said(a) > ADVERTS * len(ALL), "each has spoken often enough")
    on_time = late(a)
    assert on_time[LATEST] == on_time[float("inf")]
    assert len(masters(a)) == len(ALL)
    assert masters(b) == []
    assert are_owned_by(a, b)

    a.node.cut(silent=True)
    many.soon(lambda: held(b) == ALL, "b has all addresses")
    many.soon(lambda: len(masters(b)) == len(ALL), "b has said so of each")
    took = [seconds for _, seconds in masters(b)]
    note("255 routers, the master cut off: until each address is taken", took)
    assert {name for name, _ in masters(b)} == {f"front{vrid}" for vrid in range(1, 256)}
    assert max(took) <= patience(b) + BUSY
    a.node.heal()
    many.soon(lambda: are_owned_by(a, b), "a alone has all of them again")

    since = time.monotonic()
    strike(a)
    many.soon(lambda: are_owned_by(b, a), "b alone has all of them")
    assert time.monotonic() - since <= a.order.terms.duration + 1 + BUSY
    assert len(masters(b)) == 2 * len(ALL)
    many.soon(lambda: said(b) > ADVERTS * len(ALL), "each has spoken often enough")
    on_time = late(b)
    assert on_time[LATEST] == on_time[float("inf")]


def test_255_virtual_macs_hold_their_intervals_and_a_killed_machine_is_adopted_with_them(
    veiled: Pair,
) -> None:
    """It looked at all of them once for each, and was not back before others took over."""
    a, b = veiled.a, veiled.b
    veiled.soon(lambda: said(a) > ADVERTS * len(ALL), "each has spoken often enough")
    on_time = late(a)
    assert on_time[LATEST] == on_time[float("inf")]
    before = a.pid("machine")
    a.signal(signal.SIGKILL, "machine")
    veiled.soon(lambda: a.pid("machine") not in {None, before}, "another machine runs")
    until = time.monotonic() + 2 * patience(b)
    while time.monotonic() < until:
        assert are_owned_by(a, b)
    assert masters(b) == []

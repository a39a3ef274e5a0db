"""Clients ask through the virtual address while the table changes: no request pays for it.

What a removal costs is named: requests that are under way on the removed server are reset, or wait
in vain, because the kernel forgets their connections with it (expire_nodest_conn); a request that
is made after it always finds a server.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.test_ipvs_writer import Site, sh, until

from libra_lab.pair import pair
from libra_lab.probe import Probe
from libra_lab.serving import ready, start

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(180)]

TURNS = 6
REMOVALS = 2
PAUSE = 0.1


class Farm:
    """A director with the writer on it, three web servers, a sorry server, a client that asks."""

    def __init__(self, site: Site, probe: Probe, backends: dict[str, str], vip: str) -> None:
        self.site = site
        self.probe = probe
        self.backends = backends
        self.web: dict[str, Any] = {
            "address": f"{vip}:80",
            "scheduler": "rr",
            "sorry": "10.2.0.99:80",
            "backends": backends,
        }
        self.removals: list[tuple[float, float]] = []

    def apply(self, **more: Any) -> None:
        self.site.apply({"web": self.web | more})

    async def holds(self, text: str, *, absent: bool = False) -> None:
        """Wait until ipvsadm shows *text* (or not), then let requests meet that table."""
        await until(lambda: (text in rules()) != absent, rules)
        await asyncio.sleep(PAUSE)

    async def settled(self, *names: str) -> None:
        """Wait until exactly these servers answer in the table."""
        wanted = sorted(self.backends.get(name, "10.2.0.99:80") for name in names)
        await until(lambda: reals() == wanted, rules)
        await asyncio.sleep(PAUSE)

    @asynccontextmanager
    async def leaving(self, *names: str) -> AsyncIterator[None]:
        """Do in the block what leaves exactly these servers; then let every request end."""
        begun = time.monotonic()
        yield
        await self.settled(*names)
        self.removals.append((begun, time.monotonic()))
        await asyncio.sleep(self.probe.timeout + PAUSE)


def rules() -> str:
    return sh("ipvsadm", "-Sn")


def reals() -> list[str]:
    return sorted(line.split()[4] for line in rules().splitlines() if line.startswith("-a"))


@asynccontextmanager
async def farm(tmp_path: Path) -> AsyncIterator[Farm]:
    with pair() as lab:
        servers = {**lab.web, **lab.sorry}
        ready(*(start(node, "http", name, 80) for name, node in servers.items()))
        a = lab.directors["a"]
        a.ip(f"addr add {lab.web_vip}/32 dev eth0", f"addr add {lab.gateway}/24 dev eth1")
        site = Site(tmp_path, a.namespace)
        probe = Probe(lab.clients["client"], f"http://{lab.web_vip}/", interval=0.01)
        backends = {name: f"10.2.0.{number}:80" for name, number in lab.plan.web.items()}
        made = Farm(site, probe, backends, lab.web_vip)
        async with site.writer():
            made.apply()
            for name in backends:
                site.verdict(name, up=True)
            await made.settled(*backends)
            with probe:
                yield made
            assert len(probe.answers) > 20


def require_no_failure(made: Farm) -> None:
    assert made.probe.failures() == []


def require_cut_off_alone(made: Farm) -> None:
    """Only what was under way while a server was removed may have failed."""
    others = [
        each
        for each in made.probe.failures()
        if not any(each.asked <= gone and each.ended >= begun for begun, gone in made.removals)
    ]
    assert others == []
    assert len(made.removals) >= REMOVALS


async def test_schedulers_change_under_traffic(tmp_path: Path) -> None:
    async with farm(tmp_path) as made:
        for scheduler in ("wrr", "wlc", "lc", "sh", "mh", "dh", "sed", "nq", "lblc", "rr"):
            made.apply(scheduler=scheduler)
            await made.holds(f" -s {scheduler}")
    require_no_failure(made)


async def test_weights_change_under_traffic(tmp_path: Path) -> None:
    async with farm(tmp_path) as made:
        made.apply(scheduler="wrr")
        for weight in (5, 100, 1, 50):
            made.site.operator("ready", "backend", "web", "w1", weight=weight)
            await made.holds(f"{made.backends['w1']} -m -w {weight}")
        made.site.operator("drain", "backend", "web", "w2")
        await made.holds(f"{made.backends['w2']} -m -w 0")
        made.site.operator("ready", "backend", "web", "w2")
        await made.holds(f"{made.backends['w2']} -m -w 1")
    require_no_failure(made)


async def test_persistence_is_toggled_under_traffic(tmp_path: Path) -> None:
    async with farm(tmp_path) as made:
        for _ in range(TURNS // 2):
            made.apply(persistence="60s")
            await made.holds(" -p 60")
            made.apply()
            await made.holds(" -p", absent=True)
    require_no_failure(made)


async def test_backends_are_added_and_removed_under_traffic(tmp_path: Path) -> None:
    async with farm(tmp_path) as made:
        for _ in range(REMOVALS):
            async with made.leaving("w1", "w2"):
                made.apply(backends={name: made.backends[name] for name in ("w1", "w2")})
            made.apply()
            await made.settled("w1", "w2", "w3")
    require_cut_off_alone(made)


async def test_verdicts_flap_around_the_quorum_under_traffic(tmp_path: Path) -> None:
    async with farm(tmp_path) as made:
        made.apply(quorum=2)
        for _ in range(REMOVALS):
            async with made.leaving("w2", "w3"):
                made.site.verdict("w1", up=False)
            async with made.leaving("sorry"):
                made.site.verdict("w2", up=False)
            async with made.leaving("w2", "w3"):
                made.site.verdict("w2", up=True)
            made.site.verdict("w1", up=True)
            await made.settled("w1", "w2", "w3")
    require_cut_off_alone(made)

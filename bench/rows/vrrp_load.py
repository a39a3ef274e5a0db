"""vrrp-load: what a master takes of a processor and of memory, and whether it holds its intervals.

One router at 10 ms, and 255 on one interface at 1 s; LibrA (machine, guard and reporter) and
keepalived (its vrrp process and that one's parent) in turn, each with nobody beside it. Each is
started anew, left to settle and watched `WATCHED` times before the other's turn comes. Memory is
the proportional share (PSS, proc(5)). Lateness is of all routers, as in row advert-jitter.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.keepalived import cpu_seconds, wait_for
from bench.lateness import Heard, lateness, listening
from bench.pairs import ONE
from bench.report import Measured, Row, repeats
from bench.speakers import Keepalived, Libra, Router, Speaker
from libra_lab.node import Node
from libra_lab.topology import Topology

TIMES, WATCHED = 20, 4
SECONDS, SETTLED = 3.0, 8.0
"""Keepalived announces once more 5 s after it became master; that is over by then."""
MANY = tuple(Router(vrid, IPv4Address("10.2.0.0") + vrid) for vrid in range(1, 256))
LIMIT_MS = 100.0


@dataclass(frozen=True, slots=True)
class Load:
    """Routers and their interval."""

    routers: Sequence[Router]
    interval: float


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds of CPU in a second, mebibytes by process, worst lateness in milliseconds."""

    cpu: float
    memory: dict[str, float]
    late: float


LOADS = {"1 at 10 ms": Load(ONE, 0.01), "255 at 1 s": Load(MANY, 1.0)}


def measure() -> Measured:
    """Let each work for a while, in turn."""
    cases: dict[str, Measured] = {}
    for name, load in LOADS.items():
        found: dict[str, list[Taken]] = {}
        for done in range(0, repeats(TIMES), WATCHED):
            for who, make in _ways(load).items():
                times = min(WATCHED, repeats(TIMES) - done)
                found.setdefault(who, []).extend(_work(make, load, times))
        cases[f"{name}, CPU s/s"] = _case(found, lambda taken: taken.cpu)
        memory = _case(found, lambda taken: sum(taken.memory.values()))
        last = found["libra"][-1].memory
        cases[f"{name}, PSS MiB"] = Measured(memory.libra, memory.peers, last)
        cases[f"{name}, ms late at the worst"] = _case(found, lambda taken: taken.late)
    return Measured.of(cases)


def _case(found: dict[str, list[Taken]], figure: Callable[[Taken], float]) -> Measured:
    samples = {who: [figure(each) for each in taken] for who, taken in found.items()}
    return Measured(samples.pop("libra"), samples)


def _ways(load: Load) -> dict[str, Callable[[Node, Path], Speaker]]:
    return {
        "libra": lambda node, state: Libra.of(node, load.routers, load.interval, state),
        "keepalived": lambda node, _: Keepalived(node, load.routers, load.interval),
    }


def _work(make: Callable[[Node, Path], Speaker], load: Load, times: int) -> list[Taken]:
    with TemporaryDirectory(prefix="libra-bench-") as folder, Topology() as topology:
        net = topology.network("net")
        client = topology.node("client", {"eth0": (net, "192.0.2.100/24")})
        node = topology.node("a", {"eth0": (net, "192.0.2.1/24")})
        speaker = make(node, Path(folder))
        with listening(client) as heard:
            speaker.start()
            try:
                wait_for(lambda: len(heard.times) == len(load.routers), 0.1, "every router speaks")
                time.sleep(SETTLED)
                return [_watch(speaker, heard, load) for _ in range(times)]
            finally:
                speaker.stop()


def _watch(speaker: Speaker, heard: Heard, load: Load) -> Taken:
    processes, since = speaker.processes(), time.time()
    before = sum(map(cpu_seconds, processes.values()))
    time.sleep(SECONDS)
    cpu = (sum(map(cpu_seconds, processes.values())) - before) / (time.time() - since)
    said = heard.during(since - load.interval, time.time())
    if len(said) < len(load.routers):
        raise RuntimeError("not every router has spoken")
    late = [max(lateness(times, load.interval)) for times in said.values()]
    return Taken(cpu, {word: _mebibytes(pid) for word, pid in processes.items()}, max(late))


def _mebibytes(pid: int) -> float:
    """Read the share of memory of a process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


def _met(measured: Measured) -> bool:
    return max(measured.cases["255 at 1 s, ms late at the worst"].libra) <= LIMIT_MS


ROW = Row(
    "vrrp-load",
    "as each case says",
    "255 instances at 1 s: none later than a tenth of its interval",
    "namespaces",
    measure,
    _met,
)

"""failover-process: what speaks for the master is killed, hangs, or is killed with its parent.

LibrA's machine and keepalived's vrrp process, in turn, at an interval of 1 s: until the other owns
the address, for how long two own it, for how long a client gets no answer, and the longest time
without an advertisement (an interval, where none is missing). Whoever is not to take over (LibrA
adopts what a killed machine held: ADR 13) has no sample of the first. What two own for as long as
one looks is told as that long. LibrA's pair is tied (ADR 18).
"""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from bench.pairs import Pair, pairs
from bench.report import Measured, Row, repeats
from libra_vrrp.lease import Terms

INTERVAL, TIMES = 1.0, 20
LEASE = Terms().duration
GAP_MS, SHARED_MS, TETHER_MS = 50.0, 1000 * (LEASE + 1.0), 50.0


@dataclass(frozen=True, slots=True)
class Mishap:
    """Something that happens to processes, and for how many seconds one looks on."""

    act: Callable[[list[int]], None]
    look: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of it, in milliseconds; `taken` is None where nobody took over."""

    taken: float | None
    shared: float
    gap: float
    silence: float


def _kill(processes: list[int]) -> None:
    os.kill(processes[0], signal.SIGKILL)


def _stop(processes: list[int]) -> None:
    os.kill(processes[0], signal.SIGSTOP)


def _kill_both(processes: list[int]) -> None:
    """Kill a process and its parent, which has no time to do anything about it."""
    process, parent = processes[:2]
    os.kill(parent, signal.SIGSTOP)
    os.kill(process, signal.SIGKILL)
    os.kill(parent, signal.SIGKILL)


MISHAPS = {
    "killed": Mishap(_kill, 5.0),
    "hung": Mishap(_stop, 6.0),
    "killed with its parent": Mishap(_kill_both, 7.0),
}
FIGURES: dict[str, Callable[[Seen], float | None]] = {
    "no answer": lambda seen: seen.gap,
    "two own it": lambda seen: seen.shared,
    "until the other owns it": lambda seen: seen.taken,
    "no advert": lambda seen: seen.silence,
}


def measure() -> Measured:
    """Do each to both, in turn."""
    found: dict[str, dict[str, list[Seen]]] = {}
    with pairs(INTERVAL) as both:
        for word, mishap in MISHAPS.items():
            found[word] = {name: [] for name in both}
            for _ in range(repeats(TIMES)):
                for name, pair in both.items():
                    found[word][name].append(_happens(pair, mishap))
    return Measured.of(
        {
            f"{word}, {what}": _case(by_name, figure)
            for word, by_name in found.items()
            for what, figure in FIGURES.items()
        }
    )


def _case(seen: dict[str, list[Seen]], figure: Callable[[Seen], float | None]) -> Measured:
    samples = {
        name: [value for each in all_seen if (value := figure(each)) is not None]
        for name, all_seen in seen.items()
    }
    return Measured(samples.pop("libra"), samples)


def _happens(pair: Pair, mishap: Mishap) -> Seen:
    owner = pair.settle()
    heir, processes = pair.heir(owner), list(pair.directors[owner].processes().values())
    pair.client.begin()
    since = time.monotonic()
    mishap.act(processes)
    time.sleep(mishap.look)
    taken, shared = pair.seen.taken(heir, since), pair.seen.shared(since)
    gap, _ = pair.client.end()
    said = [since, *(each.at for each in pair.seen.adverts if each.at >= since)]
    silence = max(after - before for before, after in pairwise([*said, time.monotonic()]))
    if mishap is not MISHAPS["killed"] or len(pair.seen.owners()) != 1:
        pair.mend(owner)
    return Seen(
        None if taken is None else 1000 * (taken - since), 1000 * shared, 1000 * gap, 1000 * silence
    )


def _met(measured: Measured) -> bool:
    def worst(case: str) -> float:
        return max(measured.cases[case].libra, default=0.0)

    return (
        worst("killed, no answer") <= GAP_MS
        and worst("killed, two own it") <= GAP_MS
        and worst("killed, until the other owns it") <= GAP_MS
        and 0 < worst("hung, until the other owns it") <= 3000 * INTERVAL
        and worst("hung, two own it") == 0
        and worst("killed with its parent, two own it") <= SHARED_MS
        and 0 < worst("killed with its parent, until the other owns it") <= TETHER_MS
    )


ROW = Row(
    "failover-process",
    "ms",
    "killed: no answer, two own it and (if it moves) until the other owns it <= 50 ms; hung: the "
    "other owns it <= 3 intervals, never two; killed with its parent: the other owns it (tethers) "
    "<= 50 ms, two own it <= lease + 1 s",
    "namespaces",
    measure,
    _met,
)

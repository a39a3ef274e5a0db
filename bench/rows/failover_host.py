"""failover-host: the master's host is cut off; how long a client gets no answer.

The switch loses every frame of the master, whose own interface stays up. Intervals of 10 ms, 100 ms
and 1 s; a pair of each, at any moment between two advertisements, in turn.
"""

import time

from bench.keepalived import wait_for
from bench.pairs import POLL, SKEW, Pair, pairs
from bench.report import Measured, Row, repeats

INTERVALS = {"10 ms": 0.01, "100 ms": 0.1, "1 s": 1.0}
TIMES = 20
SLACK = 0.01
SEES = 0.1
"""Seconds in which a client sees who has the address now."""


def measure() -> Measured:
    """Cut the masters off; milliseconds without an answer."""
    return Measured.of({name: _case(interval) for name, interval in INTERVALS.items()})


def _case(interval: float) -> Measured:
    gaps: dict[str, list[float]] = {"libra": [], "keepalived": []}
    pauses = []
    with pairs(interval) as both:
        for _ in range(repeats(TIMES)):
            for name, pair in both.items():
                gap, pause = _cut_off(pair)
                gaps[name].append(1000 * gap)
                pauses.append(1000 * pause)
    more = {"bound": 1000 * bound(interval), "client's own pause": max(pauses)}
    return Measured(gaps.pop("libra"), gaps, more)


def _cut_off(pair: Pair) -> tuple[float, float]:
    owner = pair.settle()
    heir, node = pair.heir(owner), pair.directors[owner].node
    pair.client.begin()
    since = time.monotonic()
    node.cut(silent=True)
    try:
        wait_for(lambda: pair.seen.taken(heir, since) is not None, POLL, f"{heir} takes over")
        time.sleep(SEES)
        return pair.client.end()
    finally:
        node.heal()


def bound(interval: float) -> float:
    """Return the seconds that a takeover may take: what the protocol waits, and a little."""
    return (3 + SKEW) * interval + SLACK


def _met(measured: Measured) -> bool:
    return all(max(case.libra) <= case.more["bound"] for case in measured.cases.values())


ROW = Row(
    "failover-host", "ms", "worst <= 3 x interval + skew + 10 ms", "namespaces", measure, _met
)

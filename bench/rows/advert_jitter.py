"""advert-jitter: how late advertisements are while every processor is busy.

One master at a time, LibrA's and keepalived's in turn, at 10 ms and 100 ms. keepalived has ordinary
priority as it does by default; beside it, told but not judged by, with the real-time priority that
LibrA takes by itself (`vrrp_rt_priority`), and a bare timer, which is as late as the machine is.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.keepalived import wait_for
from bench.lateness import Heard, lateness, listening, quantiles
from bench.load import busy
from bench.pairs import ONE
from bench.report import Measured, Row, repeats
from bench.speakers import Keepalived, Libra, Speaker
from bench.timer import waited
from libra_lab.node import Node
from libra_lab.topology import Topology

TIMES = 20
LIMIT_MS = 5.0
WARM, LONGEST = 1.0, 60.0
RT = "vrrp_rt_priority 50\nvrrp_rlimit_rttime 1000000"
"""Its own limit, 10 ms of CPU without waiting, has the kernel kill it under a load like this."""


@dataclass(frozen=True, slots=True)
class Pace:
    """An interval, and for how many seconds one listens each time."""

    interval: float
    seconds: float


PACES = {"10 ms": Pace(0.01, 5.0), "100 ms": Pace(0.1, 10.0)}


def measure() -> Measured:
    """Listen to each in turn; milliseconds beyond the interval."""
    return Measured.of({name: _case(pace) for name, pace in PACES.items()})


def _case(pace: Pace) -> Measured:
    found: dict[str, list[float]] = {}
    for _ in range(repeats(TIMES)):
        for name, make in _ways(pace.interval).items():
            found.setdefault(name, []).extend(_listen(make, pace))
        with busy(LONGEST):
            found.setdefault("bare timer", []).extend(waited(pace.interval, pace.seconds))
    more = {
        f"{name} {which}": value
        for name, samples in found.items()
        for which, value in quantiles(samples).items()
    }
    return Measured(found.pop("libra"), found, more)


def _ways(interval: float) -> dict[str, Callable[[Node, Path], Speaker]]:
    return {
        "libra": lambda node, state: Libra.of(node, ONE, interval, state),
        "keepalived": lambda node, _: Keepalived(node, ONE, interval),
        "keepalived rt": lambda node, _: Keepalived(node, ONE, interval, RT),
    }


def _listen(make: Callable[[Node, Path], Speaker], pace: Pace) -> list[float]:
    with TemporaryDirectory(prefix="libra-bench-") as folder, Topology() as topology:
        net = topology.network("net")
        client = topology.node("client", {"eth0": (net, "192.0.2.100/24")})
        node = topology.node("a", {"eth0": (net, "192.0.2.1/24")})
        speaker = make(node, Path(folder))
        with listening(client) as heard:
            speaker.start()
            try:
                return _under_load(heard, pace)
            finally:
                speaker.stop()


def _under_load(heard: Heard, pace: Pace) -> list[float]:
    wait_for(lambda: bool(heard.times), 0.05, "a master speaks")
    with busy(LONGEST):
        time.sleep(WARM)
        since = time.time()
        time.sleep(pace.seconds)
        until = time.time()
    return lateness(heard.during(since, until)[ONE[0].vrid], pace.interval)


def _met(measured: Measured) -> bool:
    return all(
        case.more["libra p99.9"] <= min(LIMIT_MS, case.more["keepalived p99.9"])
        for case in measured.cases.values()
    )


ROW = Row(
    "advert-jitter",
    "ms late",
    "p99.9 <= 5 ms and not worse than keepalived",
    "namespaces",
    measure,
    _met,
)

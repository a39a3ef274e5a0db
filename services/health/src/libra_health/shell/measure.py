"""What checks cost: runs probes at a steady rate and reports the CPU they took.

Used by `make bench ROW=probe-cpu` and `probe-scale`, here so that both measure the real driver.
"""

from __future__ import annotations

import resource
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from libra_health.outcome import Outcome, Passed
from libra_health.probes import Changes, Probe
from libra_health.shell.drive import Driver


@dataclass(frozen=True, slots=True)
class Cost:
    """`cpu_per_check` in microseconds of user + system time of this process; lags in seconds."""

    checks: int
    cpu_per_check: float
    mean_lag: float
    worst_lag: float
    skipped: int
    results: dict[str, int]


def cost(probes: Sequence[Probe], rate: float, seconds: float) -> Cost:
    """Run `probes`, together `rate` times a second, for `seconds` after one period of warm-up."""
    every = len(probes) / rate
    spread = [replace(probe, every=every, timeout=min(probe.timeout, every)) for probe in probes]
    results: Counter[str] = Counter()
    died: list[BaseException] = []

    def report(_probe: Probe, outcome: Outcome, _now: float) -> None:
        results["passed" if isinstance(outcome, Passed) else outcome.reason.value] += 1

    driver = Driver(report, died.append)
    driver.start()
    driver.call(lambda: driver.apply(Changes((), tuple(spread), ()), spread=True))
    idle = threading.Event()
    idle.wait(every)
    before, runs, lags = _cpu(), driver.load.runs, driver.load.lag_sum
    driver.load.take_worst_lag()
    started = time.monotonic()
    idle.wait(seconds - (time.monotonic() - started))
    used, checks = _cpu() - before, driver.load.runs - runs
    worst, lags = driver.load.take_worst_lag(), driver.load.lag_sum - lags
    driver.stop()
    if died:
        raise died[0]
    per_check = 1e6 * used / max(1, checks)
    return Cost(checks, per_check, lags / max(1, checks), worst, driver.load.skipped, dict(results))


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime

"""Runs probes through a real driver."""

import queue
import time
from collections import defaultdict
from functools import partial

from libra_health.checks import Spec
from libra_health.outcome import Errored, Outcome, Reason
from libra_health.probes import Changes, Probe
from libra_health.shell.drive import Driver
from libra_health.wire import Target

PATIENCE = 60.0


def outcome_of(target: Target, spec: Spec, timeout: float = 10.0) -> Outcome:
    """Drive one run of a check to its end; `timeout` in seconds, as in the config.

    Where the process that matches costly patterns is not there yet, the run is begun again.
    """
    found: queue.Queue[Outcome | BaseException] = queue.Queue()
    driver = Driver(lambda _probe, outcome, _now: found.put(outcome), found.put)
    probe = Probe(target, spec, 3600.0, timeout)
    changes = Changes((), (probe,), ())
    driver.start()
    try:
        while True:
            driver.call(partial(driver.apply, changes, spread=False))
            outcome = found.get(timeout=PATIENCE)
            if not isinstance(outcome, Errored) or outcome.reason is not Reason.LOCAL:
                break
            changes = Changes((probe,), (probe,), ())
    finally:
        driver.stop()
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def outcomes(seconds: float, *probes: Probe) -> dict[Target, list[Outcome]]:
    """Run probes for so long; tell what they found."""
    reports: queue.Queue[tuple[Probe, Outcome, float]] = queue.Queue()
    died: list[BaseException] = []
    driver = Driver(lambda *report: reports.put(report), died.append)
    driver.matcher.prepare(10.0)
    driver.start()
    driver.call(partial(driver.apply, Changes((), probes, ()), spread=False))
    time.sleep(seconds)
    driver.stop()
    assert died == []
    found: dict[Target, list[Outcome]] = defaultdict(list)
    while not reports.empty():
        probe, outcome, _ = reports.get()
        found[probe.target].append(outcome)
    return found

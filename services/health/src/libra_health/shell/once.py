"""Runs probes once each, by the driver that runs them for ever otherwise.

The one rule: what is found here is what the service would have found.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Final

from libra_health.outcome import Outcome
from libra_health.probes import Changes, Probe
from libra_health.shell.around import Trace
from libra_health.shell.drive import Driver

WINDOW: Final = 100
"""Probes under way at a time: few enough that none waits for another's handshake."""
PATIENCE: Final = 10.0
"""Seconds that what matches patterns has to be ready: the service's is after its first runs."""
_NEVER: Final = 86400.0
"""Seconds until a probe would run again, if this did not end before."""


class Once:
    """Outcomes of distinct probes, each run once; `trace` is told all that they ask and hear."""

    def __init__(self, probes: Iterable[Probe], trace: Trace | None = None) -> None:
        wanted = dict.fromkeys(_alone(probe) for probe in probes)
        self._waiting = iter(wanted)
        self._left = len(wanted)
        self._found: dict[Probe, Outcome] = {}
        self._is_done = threading.Event()
        self._died: list[BaseException] = []
        self._driver = Driver(self._report, self._mourn, trace)

    def run(self) -> None:
        """Run all of them; returns when the last has its outcome."""
        if not self._left:
            return
        self._driver.matcher.prepare(PATIENCE)
        self._driver.start()
        try:
            self._driver.call(lambda: self._begin((), WINDOW))
            self._is_done.wait()
        finally:
            self._driver.stop()
        if self._died:
            raise self._died[0]

    def of(self, probe: Probe) -> Outcome:
        """Tell what was found."""
        return self._found[_alone(probe)]

    def _begin(self, done: tuple[Probe, ...], number: int) -> None:
        following = tuple(islice(self._waiting, number))
        self._driver.apply(Changes(done, following, ()), spread=False)

    def _report(self, probe: Probe, outcome: Outcome, _now: float) -> None:
        self._found[probe] = outcome
        self._begin((probe,), 1)
        self._left -= 1
        if not self._left:
            self._is_done.set()

    def _mourn(self, error: BaseException) -> None:
        self._died.append(error)
        self._is_done.set()


def _alone(probe: Probe) -> Probe:
    """Leave out how often it runs: probes that ask the same are one."""
    return replace(probe, every=_NEVER)

"""What is held true of every backend, kept in the driver's thread beside the driver.

The one rule: nothing is said before the log was heard, and everything said since is said once.
From then on the board knows by itself what the log holds or will hold: nobody else says verdicts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from libra_health.outcome import Errored, Failed, Outcome, Passed
from libra_health.probes import FanOut, Key, Probe, Watch, diff, fan_out
from libra_health.shell.drive import Driver
from libra_health.verdicts import Tally, Verdict, begin, condemn, recall, record
from libra_runtime.stamp import now as wall_time

Logged: TypeAlias = Mapping[Key, tuple[str, bool]]
"""What the log holds: backend -> target digest and verdict."""


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict, when it fell (wall time) and under which config revision."""

    verdict: Verdict
    decided: datetime
    revision: str


Tell: TypeAlias = Callable[[tuple[Told, ...]], None]


class Board:
    """Counts results and says verdicts by `tell`; all methods run in the driver's thread."""

    def __init__(self, tell: Tell) -> None:
        self.results: Counter[tuple[str, str]] = Counter()
        self.tallies: dict[Key, Tally] = {}
        self.unable: dict[Probe, Errored] = {}
        self._tell = tell
        self._users: FanOut = {}
        self._revision = ""
        self._has_heard = False
        self._known: dict[Key, tuple[str, bool]] = {}

    def hear(self, logged: Logged) -> None:
        """Learn the log's verdicts, once, when it has been read to its end."""
        self._has_heard = True
        self._known = dict(logged)
        verdicts = []
        for key, tally in self.tallies.items():
            self.tallies[key], verdict = recall(tally, logged=self._of(tally.watch))
            verdicts.append(verdict)
        self._say(verdicts)

    def apply(self, driver: Driver, watches: tuple[Watch, ...], rev: str) -> None:
        """Take up a config; what it does not change is not touched."""
        before, self.tallies, self._revision = self.tallies, {}, rev
        verdicts = []
        for watch in watches:
            previous = before.get(watch.key)
            tally, verdict = begin(watch, previous, logged=self._of(watch))
            self.tallies[watch.key] = tally
            verdicts.append(verdict)
        self._users = fan_out(watches)
        self.unable = {probe: why for probe, why in self.unable.items() if probe in self._users}
        driver.apply(diff(driver.probes, self._users), spread=True)
        self._say(verdicts)

    def report(self, probe: Probe, outcome: Outcome, now: float) -> None:
        """Count one result for every backend that uses this probe."""
        label = "passed" if isinstance(outcome, Passed) else outcome.reason.value
        self.results[probe.kind, label] += 1
        if isinstance(outcome, Errored):
            self.unable[probe] = outcome
        else:
            self.unable.pop(probe, None)
        for key, place in self._users[probe]:
            before = self.tallies[key]
            after, verdict = record(before, place, outcome, now)
            if after is not before:
                self.tallies[key] = after
            if verdict is not None:
                self._say([verdict])

    def condemn(self, lookouts: Iterable[tuple[Key, int]], outcome: Failed, now: float) -> None:
        """Take it that what these lookouts connect to is gone, as a hold found."""
        self.results["hold", outcome.reason.value] += 1
        for key, place in lookouts:
            self.tallies[key], verdict = condemn(self.tallies[key], place, outcome, now)
            self._say([verdict])

    def _say(self, verdicts: Iterable[Verdict | None]) -> None:
        if not self._has_heard:
            return
        decided = wall_time()
        told = tuple(Told(v, decided, self._revision) for v in verdicts if v is not None)
        for each in told:
            watch = each.verdict.watch
            self._known[watch.key] = (watch.digest, each.verdict.up)
        if told:
            self._tell(told)

    def _of(self, watch: Watch) -> bool | None:
        """Tell what the log holds, or is being told, for this very target."""
        digest, up = self._known.get(watch.key, ("", False))
        return up if digest == watch.digest else None

"""The one epoll driver: runs every check of this node in one thread of its own.

The one rule: what it owns is touched by its thread alone; others hand it work through `call`.
"""

from __future__ import annotations

import heapq
import math
import random
import threading
import time
from collections.abc import Callable, Collection
from functools import partial
from itertools import count
from typing import Final, TypeAlias

from libra_health import schedule
from libra_health.outcome import Outcome
from libra_health.probes import Changes, Probe
from libra_health.shell.around import Around, Trace
from libra_health.shell.aside import Aside
from libra_health.shell.attempt import Attempt
from libra_health.shell.contexts import Contexts
from libra_health.shell.haste import Haste
from libra_health.shell.load import Load
from libra_health.shell.loop import EVENTS, Loop
from libra_health.shell.matcher import Matcher
from libra_health.shell.seat import Seat
from libra_health.shell.spares import Spares
from libra_health.wire import Input

Report: TypeAlias = Callable[[Probe, Outcome, float], None]

SLACK: Final = 0.01
"""Seconds that timers may gather, so that one wake-up serves many: half the cost per check."""
STALL: Final = 0.1
"""Seconds that a run went unheard, or its deadline unserved, from which on they are given back."""


class Driver:
    """Runs probes and reports each outcome, in its own thread.

    `report(probe, outcome, now)` is called in that thread and must not block. `failed(error)` is
    called once, in that thread, should it die: a health service without its driver must end.
    """

    def __init__(
        self,
        report: Report,
        failed: Callable[[BaseException], None],
        trace: Trace | None = None,
    ) -> None:
        self.load = Load()
        self.loop = Loop()
        self.aside = Aside(self.call)
        self._report = report
        self._failed = failed
        self._seats: dict[Probe, Seat] = {}
        self._timers: list[tuple[float, int, Seat, int]] = []
        self._tokens = count(1)
        self._haste = Haste(self.loop, self._run_beside)
        self.matcher = Matcher()
        self._around = Around(
            self.matcher.search, self.loop, Contexts(), self.aside, Spares(self.loop), trace
        )
        self._is_stopping = False
        self._thread = threading.Thread(target=self._live, name="driver", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close every socket; waits for it. To be called once."""
        self.call(self._stop)
        self._thread.join()
        self.aside.close()
        self.loop.silence()

    def call(self, work: Callable[[], None]) -> None:
        """Have `work` done in the driver's thread, between events, in order."""
        self.loop.call(work)

    def call_at(self, when: float, work: Callable[[], None]) -> None:
        """Have `work` done at `when` (monotonic seconds); only in the driver's thread."""
        self.loop.call_at(when, work)

    def hurry(self, probe: Probe, lasting: float) -> None:
        """Run a probe now and, for `lasting` seconds, every 100 ms; only in the driver's thread.

        Its grid stays where it is.
        """
        if probe in self._seats:
            self._haste.begin(self._seats[probe], lasting)

    def apply(self, changes: Changes, *, spread: bool) -> None:
        """Change what is probed; only in the driver's thread. `spread`: jitter the new ones."""
        now = time.monotonic()
        for probe in changes.stopped:
            self._retire(probe)
        for old, new in changes.retimed:
            due = schedule.retimed(self._retire(old), old.every, new.every, now)
            self._seat(new, due)
        for probe in changes.started:
            jitter = random.random() if spread else 0.0  # noqa: S311  spreads load, hides nothing
            self._seat(probe, schedule.first(now, probe.every, jitter))
        self._around.spares.keep(len(self._seats))

    def late(self) -> float:
        """Tell how many seconds ago the next timer was due; from any thread."""
        due = next((each[0] for each in self._timers[:1]), None)
        return 0.0 if due is None else max(0.0, time.monotonic() - due)

    @property
    def probes(self) -> Collection[Probe]:
        """The probes that run; only in the driver's thread, but for their number."""
        return self._seats.keys()

    def _stop(self) -> None:
        self._is_stopping = True

    def _live(self) -> None:
        try:
            while not self._is_stopping:
                self._turn()
        except BaseException as error:  # noqa: BLE001  handed over whole: the service ends by it
            self._failed(error)
        finally:
            for seat in self._seats.values():
                self._clear(seat)
            self._around.spares.keep(0)
            self.matcher.close()
            self.loop.leave()

    def _turn(self) -> None:
        """Wait for sockets or the next timer, then serve both.

        What had arrived by `now` is heard before a deadline up to `now` passes: after a stall of
        our own no answer that was in time counts as late.
        """
        timers = self._timers
        due = timers[0][0] + SLACK if timers else math.inf
        due = min(due, self.loop.due)
        self.loop.hear(max(0.0, due - time.monotonic()))
        now = time.monotonic()
        if timers and timers[0][0] <= now:
            while self.loop.hear(0.0) == EVENTS:
                pass
        while timers and timers[0][0] <= now:
            due, _, seat, run = heapq.heappop(timers)
            if run == 0:
                self._begin(seat)
            elif run == seat.run and seat.attempt is not None:
                self._expire(seat, seat.attempt, now - due, now)
        self.loop.serve(now)

    def _expire(self, seat: Seat, attempt: Attempt, late: float, now: float) -> None:
        """End a run whose time is over; one that we let wait gets that time back, once.

        Never more than its timeout: the machine may have slept for a night.
        """
        owed = max(late, self._missed_of(seat))
        if owed > STALL and not seat.is_granted:
            seat.is_granted = True
            until = now + min(owed, seat.probe.timeout)
            heapq.heappush(self._timers, (until, seat.run, seat, seat.run))
        else:
            self._conclude(seat, attempt.expire(now), now)

    def _missed_of(self, seat: Seat) -> float:
        """Tell for how many seconds of a run under way nobody listened."""
        return self.loop.missed - seat.missed

    def _wake(self, seat: Seat, mask: int, now: float) -> None:
        if seat.attempt is not None:
            self._conclude(seat, seat.attempt.wake(mask, now), now)

    def _wake_with(self, seat: Seat, run: int, event: Input) -> None:
        """Take the end of an errand, or what waited, to the run that asked for it."""
        if seat.run == run and seat.attempt is not None:
            now = time.monotonic()
            self._conclude(seat, seat.attempt.tell(event, now), now)

    def _begin(self, seat: Seat) -> None:
        """Run a probe because its time on the grid has come.

        One that was hurried and is under way speaks for this run too, and so does one that we did
        not listen to for a while: its own deadline ends it.
        """
        if seat.is_retired:
            return
        now, probe, due = time.monotonic(), seat.probe, seat.due
        seat.due = after = schedule.following(due, probe.every, now)
        heapq.heappush(self._timers, (after, next(self._tokens), seat, 0))
        if seat.attempt is not None and seat.is_beside:
            return
        is_owed = seat.is_granted or max(now - due, self._missed_of(seat)) > STALL
        if seat.attempt is not None and is_owed:
            self.load.skipped += round((after - due) / probe.every)
            return
        if seat.attempt is not None:  # timeout = every, and this run began late
            self._conclude(seat, seat.attempt.expire(now), now)
        self.load.account(schedule.lag(due, now), after - due, probe.every)
        self._launch(seat, now)

    def _run_beside(self, seat: Seat) -> None:
        """Run a probe out of turn, unless it runs."""
        if seat.attempt is None:
            self.load.runs += 1
            seat.is_beside = True
            self._launch(seat, time.monotonic())

    def _launch(self, seat: Seat, now: float) -> None:
        seat.run = run = next(self._tokens)
        seat.missed, seat.is_granted = self.loop.missed, False
        attempt = seat.attempt = Attempt(
            self._around, seat.enrol, partial(self._wake_with, seat, run)
        )
        outcome = attempt.start(seat.probe, now)
        if outcome is None:
            heapq.heappush(self._timers, (now + seat.probe.timeout, run, seat, run))
        else:
            self._conclude(seat, outcome, now)

    def _conclude(self, seat: Seat, outcome: Outcome | None, now: float) -> None:
        if outcome is None:
            return
        self._clear(seat)
        self._report(seat.probe, outcome, now)

    def _clear(self, seat: Seat) -> None:
        attempt, seat.attempt, seat.is_beside = seat.attempt, None, False
        if attempt is not None:
            attempt.close()

    def _seat(self, probe: Probe, due: float) -> None:
        seat = self._seats[probe] = Seat(probe, due)
        seat.enrol = partial(self.loop.enrol, partial(self._wake, seat))
        heapq.heappush(self._timers, (due, next(self._tokens), seat, 0))

    def _retire(self, probe: Probe) -> float:
        """Stop a probe at once; returns when it would have been due next."""
        seat = self._seats.pop(probe)
        seat.is_retired = True
        self._clear(seat)
        return seat.due

"""The one epoll driver: runs every check of this node in one thread of its own.

The one rule: what it owns is touched by its thread alone; others hand it work through `call`.
"""

from __future__ import annotations

import heapq
import math
import os
import random
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from itertools import count
from typing import Final, TypeAlias

from libra_health import schedule
from libra_health.outcome import Outcome
from libra_health.probes import Changes, Probe
from libra_health.shell.aside import Aside
from libra_health.shell.attempt import Around, Attempt, Trace
from libra_health.shell.channel import EVERYTHING
from libra_health.shell.load import Load
from libra_health.shell.matcher import Matcher
from libra_health.shell.seat import Seat
from libra_health.shell.tls import Contexts
from libra_health.wire import Input

Report: TypeAlias = Callable[[Probe, Outcome, float], None]

SLACK: Final = 0.01
"""Seconds that timers may gather, so that one wake-up serves many: half the cost per check."""
EVENTS: Final = 1024
STALL: Final = 0.1
"""Seconds after a deadline from which on it was us who did not listen."""


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
        self.aside = Aside(self.call)
        self._report = report
        self._failed = failed
        self._seats: dict[Probe, Seat] = {}
        self._by_fd: dict[int, Seat] = {}
        self._timers: list[tuple[float, int, Seat, int]] = []
        self._tokens = count(1)
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self.matcher = Matcher()
        self._is_hearing = False
        self._leaving: list[socket.socket] = []
        self._around = Around(
            self.matcher.search, self.call, Contexts(), self.aside, self._close, trace
        )
        self._calls: deque[Callable[[], None]] = deque()
        self._epoll = select.epoll()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._bell, select.EPOLLIN)
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
        os.close(self._bell)

    def call(self, work: Callable[[], None]) -> None:
        """Have `work` done in the driver's thread, between events, in order."""
        self._calls.append(work)
        os.eventfd_write(self._bell, 1)

    def call_at(self, when: float, work: Callable[[], None]) -> None:
        """Have `work` done at `when` (monotonic seconds); only in the driver's thread."""
        heapq.heappush(self._later, (when, next(self._tokens), work))

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

    def late(self) -> float:
        """Tell how many seconds ago the next timer was due; from any thread."""
        due = next((each[0] for each in self._timers[:1]), None)
        return 0.0 if due is None else max(0.0, time.monotonic() - due)

    @property
    def probes(self) -> Iterable[Probe]:
        """The probes that run; only in the driver's thread."""
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
            self.matcher.close()
            self._epoll.close()

    def _turn(self) -> None:
        """Wait for sockets or the next timer, then serve both.

        What had arrived by `now` is heard before a deadline up to `now` passes: after a stall of
        our own no answer that was in time counts as late.
        """
        timers = self._timers
        due = timers[0][0] + SLACK if timers else math.inf
        if self._later:
            due = min(due, self._later[0][0])
        self._hear(-1.0 if due == math.inf else max(0.0, due - time.monotonic()))
        now = time.monotonic()
        if timers and timers[0][0] <= now:
            while self._hear(0.0) == EVENTS:
                pass
        while timers and timers[0][0] <= now:
            due, _, seat, run = heapq.heappop(timers)
            if run == 0:
                self._begin(seat)
            elif run == seat.run and seat.attempt is not None:
                self._expire(seat, seat.attempt, now - due, now)
        while self._later and self._later[0][0] <= now:
            heapq.heappop(self._later)[2]()

    def _expire(self, seat: Seat, attempt: Attempt, late: float, now: float) -> None:
        """End a run whose time is over; one that we let wait gets that time back."""
        if late > STALL:
            heapq.heappush(self._timers, (now + late, seat.run, seat, seat.run))
        else:
            self._conclude(seat, attempt.expire(now), now)

    def _hear(self, wait: float) -> int:
        """Serve what the sockets say; return how many did.

        What is closed meanwhile keeps its number until the end: no event of this batch can be
        taken for one of a newer socket.
        """
        events = self._epoll.poll(wait, EVENTS)
        now = time.monotonic()
        self._is_hearing = True
        for fd, mask in events:
            seat = self._by_fd.get(fd)
            if seat is not None and seat.attempt is not None:
                self._conclude(seat, seat.attempt.wake(mask, now), now)
            elif fd == self._bell:
                self._answer()
        self._is_hearing = False
        for sock in self._leaving:
            sock.close()
        self._leaving.clear()
        return len(events)

    def _enrol(self, seat: Seat, fd: int) -> None:
        self._by_fd[fd] = seat
        self._epoll.register(fd, EVERYTHING)

    def _close(self, sock: socket.socket) -> None:
        self._by_fd.pop(sock.fileno(), None)
        if self._is_hearing:
            self._leaving.append(sock)
        else:
            sock.close()

    def _wake_with(self, seat: Seat, run: int, event: Input) -> None:
        """Take the end of an errand, or what waited, to the run that asked for it."""
        if seat.run == run and seat.attempt is not None:
            now = time.monotonic()
            self._conclude(seat, seat.attempt.tell(event, now), now)

    def _answer(self) -> None:
        os.eventfd_read(self._bell)
        for _ in range(len(self._calls)):  # what they call for comes after what is due by then
            self._calls.popleft()()

    def _begin(self, seat: Seat) -> None:
        if seat.is_retired:
            return
        now, probe, due = time.monotonic(), seat.probe, seat.due
        if seat.attempt is not None:  # timeout = every, and this run began late
            self._conclude(seat, seat.attempt.expire(now), now)
        seat.due = after = schedule.following(due, probe.every, now)
        self.load.account(schedule.lag(due, now), after - due, probe.every)
        seat.run = run = next(self._tokens)
        attempt = seat.attempt = Attempt(
            self._around, partial(self._enrol, seat), partial(self._wake_with, seat, run)
        )
        outcome = attempt.start(probe, now)
        heapq.heappush(self._timers, (after, next(self._tokens), seat, 0))
        if outcome is None:
            heapq.heappush(self._timers, (now + probe.timeout, run, seat, run))
        else:
            self._conclude(seat, outcome, now)

    def _conclude(self, seat: Seat, outcome: Outcome | None, now: float) -> None:
        if outcome is None:
            return
        self._clear(seat)
        self._report(seat.probe, outcome, now)

    def _clear(self, seat: Seat) -> None:
        attempt, seat.attempt = seat.attempt, None
        if attempt is not None:
            attempt.close()

    def _seat(self, probe: Probe, due: float) -> None:
        seat = self._seats[probe] = Seat(probe, due)
        heapq.heappush(self._timers, (due, next(self._tokens), seat, 0))

    def _retire(self, probe: Probe) -> float:
        """Stop a probe at once; returns when it would have been due next."""
        seat = self._seats.pop(probe)
        seat.is_retired = True
        self._clear(seat)
        return seat.due

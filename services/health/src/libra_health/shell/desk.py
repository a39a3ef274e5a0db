"""Where errands of one kind wait, are done in threads of a bounded number, and end.

The one rule: a job tells its end once at most, in the driver's thread, and never once cancelled.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol, TypeAlias

import structlog

from libra_health.errands import Done, Errand, ReadFile, Unexecuted

log = structlog.get_logger()

Post: TypeAlias = Callable[[Callable[[], None]], None]
Told: TypeAlias = Callable[[Done], None]


class Work(Protocol):
    """What one errand takes; `run` in a thread of its own, `kill` from any, before or meanwhile."""

    @property
    def lack(self) -> Done | None:
        """What it has not got from this node yet; None where it has all that it needs."""

    def run(self) -> Done:
        """Do it, however long that takes."""

    def kill(self) -> None:
        """Have it end soon."""


class Stage(Enum):
    """How far an errand is."""

    WAITING = auto()
    UNDER_WAY = auto()
    ENDED = auto()


class Job:
    """One errand; call it to cancel, in the driver's thread. It tells its end once at most."""

    __slots__ = ("_desk", "_told", "errand", "is_cancelled", "stage", "work")

    def __init__(self, desk: Desk, errand: Errand, work: Work, told: Told) -> None:
        self.errand = errand
        self.work = work
        self.stage = Stage.WAITING
        self.is_cancelled = False
        self._desk = desk
        self._told = told

    def __call__(self) -> None:
        """Cancel: nothing is told from now on, and what runs is killed."""
        if not self.is_cancelled:
            self.is_cancelled = True
            self._desk.cancel(self)

    @property
    def has_begun(self) -> bool:
        """Whether it got a place."""
        return self.stage is not Stage.WAITING

    @property
    def lack(self) -> Done | None:
        """What a check is told that can wait no longer; None where only its program is slow."""
        if self.has_begun or isinstance(self.errand, ReadFile):
            return self.work.lack
        if self._desk.hangs(self.errand):
            return Unexecuted(f"{self.work} of the run before was killed and does not end")
        return Unexecuted(f"{self._desk.places} programs run already, and none ended in time")

    def tell(self, done: Done) -> None:
        """Hand its end back; in the driver's thread."""
        if not self.is_cancelled:
            self._told(done)


class Desk:
    """Does errands of one kind, `places` at once, in order.

    What was cancelled keeps its place until it is gone, and its like waits for that: one that
    hangs for good takes one place, however often it is asked for.
    """

    def __init__(self, name: str, places: int, post: Post) -> None:
        self._name = name
        self.places = places
        self._post = post
        self._lock = threading.Lock()
        self._waiting: deque[Job] = deque()
        self._under_way: set[Job] = set()
        self._threads: set[threading.Thread] = set()
        self._is_closed = self._is_clogged = False

    @property
    def running(self) -> int:
        """How many are under way, those among them that were killed and are not gone yet."""
        return len(self._under_way)

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._waiting)

    def take(self, job: Job) -> None:
        """Take a job on."""
        with self._lock:
            if self._is_closed:
                return
            self._waiting.append(job)
            is_staffed = len(self._threads) >= self.places
            self._note_clogging()
        if not is_staffed:
            self._staff()

    def hangs(self, errand: Errand) -> bool:
        """Tell whether one of the same words was killed and is not gone."""
        with self._lock:
            return errand in self._hung()

    def cancel(self, job: Job) -> None:
        """Have a job not begin, or end soon."""
        with self._lock:
            if job.stage is Stage.WAITING:
                if not self._is_closed:
                    self._waiting.remove(job)
                job.stage = Stage.ENDED
                return
        job.work.kill()

    def close(self, until: float) -> None:
        """Kill everything; wait for it until `until` of the monotonic clock at most."""
        with self._lock:
            self._is_closed = True
            self._waiting.clear()
            jobs, threads = tuple(self._under_way), tuple(self._threads)
        for job in jobs:
            job.work.kill()
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _staff(self) -> None:
        """Start a thread; where the kernel gives none, those there do the work."""
        thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
        with self._lock:
            self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError as error:
            with self._lock:
                self._threads.discard(thread)
            log.warning("no thread for an errand", kind=self._name, error=str(error))

    def _serve(self) -> None:
        while (job := self._next()) is not None:
            done: Done | None = None
            try:
                done = job.work.run()
            finally:
                self._finish(job, done)

    def _next(self) -> Job | None:
        """Give the first job that may begin; None ends the thread, which is then forgotten."""
        with self._lock:
            hung = self._hung()
            job = next((each for each in self._waiting if each.errand not in hung), None)
            if job is None or self._is_closed:
                self._threads.discard(threading.current_thread())
                return None
            self._waiting.remove(job)
            self._under_way.add(job)
            job.stage = Stage.UNDER_WAY
            return job

    def _hung(self) -> set[Errand]:
        return {each.errand for each in self._under_way if each.is_cancelled}

    def _finish(self, job: Job, done: Done | None) -> None:
        with self._lock:
            self._under_way.discard(job)
            self._is_clogged = False
            job.stage = Stage.ENDED
            if done is not None and not self._is_closed and not job.is_cancelled:
                self._post(lambda: job.tell(done))

    def _note_clogging(self) -> None:
        """Say once that all places are taken by what was killed and does not go."""
        if self._is_clogged or len(self._under_way) < self.places:
            return
        self._is_clogged = all(job.is_cancelled for job in self._under_way)
        if self._is_clogged:
            hung = sorted({str(job.work) for job in self._under_way})
            log.error("errands hang", kind=self._name, places=self.places, hung=hung)

"""The thread of a machine that does address work, job after job; it stops when its process does."""

from collections import deque
from collections.abc import Callable, Generator
from functools import partial
from typing import Protocol

from tests.vrrp.simulation.kernel import Kernel

from libra_vrrp.renewal import Add, Done, Outcome, Remove, Renew, renewal

Steps = Generator[Add | Remove, Done, Outcome]


class Owner(Protocol):
    """The process whose thread it is."""

    def when_running(self, act: Callable[[], None]) -> None:
        """Do it now, or when the process runs again; never, when it has ended."""

    def clock(self) -> float:
        """Read the clock."""

    def finished(self, outcome: Outcome) -> None:
        """Take what became of a renewal."""


class Thread:
    """Drives production's `renewal` against the kernel of the simulation."""

    def __init__(self, owner: Owner, kernel: Kernel) -> None:
        self._owner = owner
        self._kernel = kernel
        self._jobs: deque[Renew | Remove] = deque()
        self._busy = False

    def do(self, job: Renew | Remove) -> None:
        """Queue a job."""
        self._jobs.append(job)
        if not self._busy:
            self._begin()

    def _begin(self) -> None:
        self._busy = bool(self._jobs)
        if not self._busy:
            return
        job = self._jobs.popleft()
        if isinstance(job, Remove):
            self._kernel.enter(job, lambda _: self._owner.when_running(self._begin))
        else:
            self._advance(renewal(job, self._owner.clock()), None)

    def _advance(self, steps: Steps, errno: int | None) -> None:
        try:
            step = next(steps) if errno is None else steps.send(Done(errno, self._owner.clock()))
        except StopIteration as finished:
            self._owner.finished(finished.value)
            self._begin()
            return
        self._kernel.enter(step, partial(self._answered, steps))

    def _answered(self, steps: Steps, errno: int) -> None:
        self._owner.when_running(partial(self._advance, steps, errno))

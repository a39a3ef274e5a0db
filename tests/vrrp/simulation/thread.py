"""The thread of a machine that does address work, job after job; it stops when its process does."""

from collections import deque
from collections.abc import Callable, Generator
from functools import partial
from typing import Protocol

from tests.vrrp.simulation.kernel import Kernel, Lay

from libra_vrrp.renewal import Add, Done, Job, Laid, Outcome, Remove, Renew, Unmake, renewal

Steps = Generator[Add | Remove, Done, Outcome]


class Owner(Protocol):
    """The process whose thread it is."""

    def when_running(self, act: Callable[[], None]) -> None:
        """Do it now, or when the process runs again; never, when it has ended."""

    def clock(self) -> float:
        """Read the clock."""

    def finished(self, outcome: Outcome | Laid) -> None:
        """Take what became of a renewal."""


class Thread:
    """Drives production's `renewal` against the kernel of the simulation."""

    def __init__(self, owner: Owner, kernel: Kernel) -> None:
        self._owner = owner
        self._kernel = kernel
        self._jobs: deque[Job] = deque()
        self._busy = False
        self._idle: Callable[[], None] | None = None

    def when_idle(self, act: Callable[[], None]) -> None:
        """Do it once every job is done."""
        if self._busy:
            self._idle = act
        else:
            act()

    def do(self, job: Job) -> None:
        """Queue a job."""
        self._jobs.append(job)
        if not self._busy:
            self._begin()

    def _begin(self) -> None:
        self._busy = bool(self._jobs)
        if not self._busy:
            if self._idle is not None:
                self._idle()
            return
        job = self._jobs.popleft()
        if isinstance(job, Unmake):  # nobody here has a virtual MAC
            self._begin()
        elif isinstance(job, Renew):
            self._advance(renewal(job, self._owner.clock()), None)
        else:
            self._kernel.enter(job, lambda _: self._owner.when_running(self._begin))

    def _advance(self, steps: Steps, errno: int | None) -> None:
        try:
            step = next(steps) if errno is None else steps.send(Done(errno, self._owner.clock()))
        except StopIteration as finished:
            outcome: Outcome = finished.value
            self._owner.finished(outcome)
            self._lay(outcome)
            return
        self._kernel.enter(step, partial(self._answered, steps))

    def _lay(self, outcome: Outcome) -> None:
        """Have the rules too, as production's thread does; go on with the next job."""
        renew = outcome.renew
        if not renew.entries or not outcome.holds or self._owner.clock() >= renew.not_after:
            self._begin()
            return

        def laid() -> None:
            self._owner.finished(Laid(renew))
            self._begin()

        self._kernel.enter(Lay(renew.entries), lambda _: self._owner.when_running(laid))

    def _answered(self, steps: Steps, errno: int) -> None:
        self._owner.when_running(partial(self._advance, steps, errno))

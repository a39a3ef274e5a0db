"""The thread that puts virtual addresses on interfaces, and routes and rules beside them.

The kernel does this work inside the sending system call, and holds it up while another process has
its RTNL lock; adverts must not wait for that. Jobs are carried out in order, but that interfaces go
a few at a time: the kernel takes some 30 ms for each, and renewals cannot wait for all of them.
"""

import os
import queue
import threading
import time
from collections import deque
from errno import ENODEV
from functools import partial
from typing import Final, assert_never

from libra_vrrp import macvlan, routing, rtnetlink
from libra_vrrp.renewal import (
    Add,
    Cleared,
    Done,
    Job,
    Laid,
    Outcome,
    Remove,
    Renew,
    Sweep,
    Unmake,
    laid,
    renewal,
    stripped,
)
from libra_vrrp.rtnetlink import Target
from libra_vrrp.shell.fatal import fatal
from libra_vrrp.shell.questions import Questions
from libra_vrrp.shell.say import log

AT_ONCE: Final = 8
"""Interfaces that are removed before what was asked for meanwhile has its turn."""


class AddressThread:
    """Carries out jobs in order; `outcomes` are ready when `fileno` is readable."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._outcomes: deque[Outcome | Laid | Cleared] = deque()
        self._ready = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._kernel = Questions()
        self._thread = threading.Thread(target=self._work, name="addresses", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._ready

    def do(self, job: Job) -> None:
        """Queue a job; returns at once."""
        self._jobs.put(job)

    def outcomes(self) -> list[Outcome | Laid | Cleared]:
        """Return what was finished since the last call."""
        try:
            os.eventfd_read(self._ready)
        except BlockingIOError:
            return []
        return [self._outcomes.popleft() for _ in range(len(self._outcomes))]

    def finish(self, patience: float) -> bool:
        """Wait until every job is done, at most `patience` seconds; say whether it is."""
        self._jobs.put(None)
        self._thread.join(patience)
        return not self._thread.is_alive()

    @fatal
    def _work(self) -> None:
        while True:
            match job := self._jobs.get():
                case None if self._jobs.empty():
                    return
                case None:  # what was put off comes before the end
                    self._jobs.put(None)
                case Renew():
                    self._renew(job)
                case Remove():
                    self._remove(job)
                case Sweep():
                    self._sweep(job)
                case Unmake():
                    self._unmake(job)
                case _:
                    assert_never(job)

    def _renew(self, job: Renew) -> None:
        """Have the addresses, and only with them the routes and rules."""
        outcome = self._outcome(job)
        self._tell(outcome)
        if job.entries and outcome.holds and time.monotonic() < job.not_after:
            self._kernel.ask(routing.delete, stripped(outcome))
            self._tell(laid(job, self._kernel.ask(routing.add, job.entries)))

    def _tell(self, outcome: Outcome | Laid | Cleared) -> None:
        self._outcomes.append(outcome)
        os.eventfd_write(self._ready, 1)

    def _outcome(self, job: Renew) -> Outcome:
        steps = renewal(job, time.monotonic())
        try:
            step = next(steps)
            while True:
                refused, new = self._perform(step)
                step = steps.send(Done(refused, time.monotonic(), new))
        except StopIteration as finished:
            outcome: Outcome = finished.value
            return outcome

    def _perform(self, step: Add | Remove) -> tuple[int, tuple[Target, ...]]:
        match step:
            case Add():
                return self._add(step)
            case Remove():
                self._remove(step)
                return 0, ()
            case _:
                assert_never(step)

    def _add(self, step: Add) -> tuple[int, tuple[Target, ...]]:
        """Return the first errno that is none of success, and the sources that were not there."""
        renew = partial(_request, step.lifetime)
        answers = [] if step.vmac is None else self._kernel.ask(macvlan.up, [step.vmac])
        probed = self._kernel.ask(partial(renew, is_new=True), step.sources)
        pairs = zip(step.sources, probed, strict=True)
        new = tuple(target for target, answer in pairs if not answer.errno)
        answers += self._kernel.ask(renew, step.targets)
        return next((answer.errno for answer in answers if answer.errno), 0), new

    def _remove(self, job: Remove) -> None:
        if job.vmac is not None:
            self._kernel.ask(macvlan.down, [job.vmac])
        self._kernel.ask(rtnetlink.delete_address, job.targets)
        self._kernel.ask(routing.delete, job.entries[::-1])

    def _sweep(self, job: Sweep) -> None:
        found = self._kernel.entries()
        left = [one for one in found if not any(routing.is_of(one, kept) for kept in job.kept)]
        if left:
            log("removing routes and rules that were left behind", "warning", count=len(left))
            self._kernel.ask(routing.delete, left[::-1])
        self._tell(Cleared(job))

    def _unmake(self, job: Unmake) -> None:
        now, later = job.vmacs[:AT_ONCE], job.vmacs[AT_ONCE:]
        answers = zip(now, self._kernel.ask(macvlan.remove, now), strict=True)
        refused = tuple((at, answer) for at, answer in answers if answer.errno not in {0, ENODEV})
        self._tell(Cleared(Unmake(now), refused))
        if later:
            self._jobs.put(Unmake(later))


def _request(lifetime: int, number: int, target: Target, *, is_new: bool = False) -> bytes:
    return rtnetlink.add_address(number, target, lifetime, is_new=is_new)

"""Errands beside the driver's thread: programs and files, each in a thread of a bounded number.

The one rule: whatever an errand hangs on, it holds up no other, neither the driver nor the end.
"""

from __future__ import annotations

import time
from typing import Final

from libra_health.errands import Errand, Execute, ReadFile
from libra_health.shell.desk import Desk, Job, Post, Told
from libra_health.shell.program import Program
from libra_health.shell.reading import Reading

PROGRAMS: Final = 64
"""Programs under way at once."""
READERS: Final = 8
"""Files read at once."""
PATIENCE: Final = 2.0
"""Seconds that `close` waits for what it killed."""


class Aside:
    """Performs errands beside the driver's thread, and hands each end back to it.

    `post(work)` has `work` done in the driver's thread; it is called from other threads. `mark`
    tells the programs of this service, should it be killed, to the next (libra_runtime.leftovers).
    """

    def __init__(self, post: Post, mark: str = "") -> None:
        self.mark = mark
        self._programs = Desk("program", PROGRAMS, post)
        self._files = Desk("reader", READERS, post)

    @property
    def running(self) -> int:
        """How many errands are under way; from any thread."""
        return self._programs.running + self._files.running

    @property
    def waiting(self) -> int:
        """How many errands wait for a place; from any thread."""
        return self._programs.waiting + self._files.waiting

    def begin(self, errand: Errand, told: Told) -> Job:
        """Begin, from the driver's thread; call what is returned to cancel.

        `told` is called in the driver's thread, at most once and never after the cancelling.
        """
        match errand:
            case Execute():
                job = Job(self._programs, errand, Program(errand, self.mark), told)
                self._programs.take(job)
            case ReadFile():
                job = Job(self._files, errand, Reading(errand), told)
                self._files.take(job)
        return job

    def close(self) -> None:
        """Kill every program, tell nobody anything any more, wait a bounded time; to be last."""
        until = time.monotonic() + PATIENCE
        self._programs.close(until)
        self._files.close(until)

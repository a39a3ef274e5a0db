"""A child process that is started again when it ends, the sooner the longer it had worked."""

import signal
import sys
import time
from collections.abc import Callable
from typing import Final, TypeAlias

from libra_vrrp.shell.leaving import AT_ONCE, LATER
from libra_vrrp.shell.process import Process
from libra_vrrp.shell.say import log

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0
CALM: Final = 10.0
"""Seconds after which a child that ran counts as healthy: it is restarted at once."""
KILLED: Final = 5.0
"""Seconds that a child which was killed may take to be gone; what waits for a disk is left."""
STEP: Final = 0.005

Spawn: TypeAlias = Callable[[list[str], list[int]], Process]


class Child:
    """One child of the guard; `start_at` is when it may be started while it does not run.

    `spawn` makes its process, in place of the operating system.
    """

    def __init__(self, word: str, spawn: Spawn | None = None) -> None:
        self.word = word
        self._spawn = spawn
        self.start_at = 0.0
        self.started_at = 0.0
        self._process: Process | None = None
        self._former: list[Process] = []
        self._pause = 0.0
        self._is_retired = False

    @property
    def runs(self) -> bool:
        """Whether it was started, and its end not seen yet."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return None if self._process is None else self._process.pid

    def start(self, arguments: list[str], descriptors: list[int], now: float) -> int:
        """Start it with `arguments` after its word; return its process id. Raise `OSError`.

        What would end it waits until it is ready for it, but for SIGTERM.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, AT_ONCE, LATER})
        try:
            argv = [sys.executable, "-m", "libra_vrrp", self.word, *arguments]
            self._process = (self._spawn or Process)(argv, descriptors)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self.started_at = now
        log("child started", child=self.word, pid=self._process.pid)
        return self._process.pid

    def put_off(self, why: str, now: float) -> None:
        """Plan another start: this one was not possible."""
        log("child cannot be started", "error", child=self.word, why=why)
        self._pause = min(max(self._pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
        self.start_at = now + self._pause

    def has_ended(self, now: float) -> bool:
        """Say, once, that it has ended, and plan its next start; it is to be reaped then."""
        status = None if self._process is None else self._process.status()
        if status is None:
            return False
        self._bury()
        if self._is_retired:
            return True
        log("child ended, starting another", "warning", child=self.word, status=status)
        calm = now - self.started_at > CALM
        self.start_at = now + (0.0 if calm else self._pause)
        self._pause = FIRST_PAUSE if calm else min(max(self._pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
        return True

    def retire(self) -> None:
        """Know that it was told to end: no other is started."""
        self._is_retired, self.start_at = True, float("inf")

    def send(self, number: int) -> None:
        """Send it a signal; to a child of another user it needs CAP_KILL (`PermissionError`)."""
        if self._process is not None:
            self._process.send(number)

    def kill(self) -> None:
        """End it; without CAP_KILL a child of another user is beyond us."""
        if self._process is not None:
            self._process.kill()

    def await_end(self, patience: float) -> bool:
        """Wait for its end, and kill it after `patience` seconds; say whether it ended in order."""
        if self._process is None:
            return False
        status = _end_of(self._process, patience)
        if status is None:
            log("child does not end, killing it", "warning", child=self.word)
            self._process.kill()
            status = _end_of(self._process, KILLED)
        if status is None:
            self._process = None
        else:
            self._bury()
            self.reap()
        return status == 0

    def reap(self) -> None:
        """Reap who ended, now that nothing waits for us."""
        while self._former:
            self._former.pop().reap()

    def _bury(self) -> None:
        if self._process is not None:
            self._former.append(self._process)
        self._process = None


def _end_of(process: Process, patience: float) -> int | None:
    """Return its exit status, or None where it has not ended after `patience` seconds."""
    limit = time.monotonic() + patience
    while (status := process.status()) is None and time.monotonic() < limit:
        time.sleep(STEP)
    return status

"""A child process that is started again when it ends, the sooner the longer it had worked."""

import contextlib
import os
import signal
import subprocess
import sys
from typing import Final

from libra_vrrp.shell.leaving import AT_ONCE, LATER
from libra_vrrp.shell.privileges import unhurried
from libra_vrrp.shell.say import log

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0
CALM: Final = 10.0
"""Seconds after which a child that ran counts as healthy: it is restarted at once."""


class Child:
    """One child of the guard; `start_at` is when it may be started while it does not run."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.start_at = 0.0
        self.started_at = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._former: subprocess.Popen[bytes] | None = None
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
            self._process = subprocess.Popen(
                [sys.executable, "-m", "libra_vrrp", self.word, *arguments],
                pass_fds=descriptors,
                start_new_session=True,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self.started_at = now
        log("child started", child=self.word, pid=self._process.pid)
        self._reap()
        return self._process.pid

    def put_off(self, why: str, now: float) -> None:
        """Plan another start: this one was not possible."""
        log("child cannot be started", "error", child=self.word, why=why)
        self._pause = min(max(self._pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
        self.start_at = now + self._pause

    def has_ended(self, now: float) -> bool:
        """Say, once, that it has ended, and plan its next start; then it is reaped."""
        status = self._status()
        if status is None:
            return False
        self._former, self._process = self._process, None
        if self._is_retired:
            self._reap()
            return True
        log("child ended, starting another", "warning", child=self.word, status=status)
        calm = now - self.started_at > CALM
        self.start_at = now + (0.0 if calm else self._pause)
        self._pause = FIRST_PAUSE if calm else min(max(self._pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
        return True

    def retire(self) -> None:
        """Know that it was told to end: no other is started."""
        self._is_retired, self.start_at = True, float("inf")
        self._reap()

    def send(self, number: int) -> None:
        """Send it a signal; to a child of another user it needs CAP_KILL (`PermissionError`)."""
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """End it; without CAP_KILL a child of another user is beyond us."""
        if self._process is not None:
            with contextlib.suppress(PermissionError):
                self._process.kill()

    def await_end(self, patience: float) -> bool:
        """Wait for its end, and kill it after `patience` seconds; say whether it ended in order."""
        if self._process is None:
            return False
        with unhurried():
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                log("child does not end, killing it", "warning", child=self.word)
                with contextlib.suppress(PermissionError):
                    self._process.kill()
                    self._process.wait()
        status, self._process = self._process.returncode, None
        return status == 0

    def _status(self) -> int | None:
        """Return its exit status, below 0 for a signal, once it has ended; it is not reaped yet."""
        if self._process is None:
            return None
        ended = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    def _reap(self) -> None:
        """Reap the one before, now that nothing waits for us."""
        if self._former is not None:
            with unhurried():
                self._former.wait()
            self._former = None

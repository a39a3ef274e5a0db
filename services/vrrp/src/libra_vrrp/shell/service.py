"""The parent: keeps the machine and the reporter running, and gives them one line to talk over.

It imports almost nothing, so that it is up before anything else and outlives everything else.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Final

from libra_vrrp import reports
from libra_vrrp.reports import Farewell, Numbered
from libra_vrrp.settings import Settings, from_environment
from libra_vrrp.shell.privileges import MACHINE, lacking
from libra_vrrp.shell.say import begin, log

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0
CALM: Final = 10.0
"""Seconds after which a child that ran counts as healthy: it is restarted at once."""
GOODBYE: Final = {"machine": 3.0, "reporter": 8.0}
"""Seconds that each child has for its orderly end; the reporter may have to spool last words."""


@dataclass(slots=True)
class Child:
    """One child process: when it started, when it died, how long to wait before the next start."""

    word: str
    line: socket.socket
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    died_at: float | None = None
    pause: float = 0.0
    start_at: float = 0.0


class Parent:
    """Supervises; it holds the children's line open, so that the death of one breaks nothing."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._machine = Child("machine", ends[0])
        self._reporter = Child("reporter", ends[1])

    def run(self) -> None:
        """Run until SIGTERM or SIGINT, then end the machine first and the reporter after it."""
        watched = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_BLOCK, watched)
        while True:
            now = time.monotonic()
            for child in (self._machine, self._reporter):
                self._tend(child, now)
            caught = signal.sigtimedwait(watched, self._patience(now))
            if caught is not None and caught.si_signo != signal.SIGCHLD:
                break
        if self._machine.process is not None:
            self._machine.process.terminate()
            self._await_end(self._machine)
        with contextlib.suppress(BlockingIOError):  # a reporter that hangs: it is killed
            self._machine.line.send(reports.dumps(Numbered("", 0, Farewell())))
        self._await_end(self._reporter)

    def _tend(self, child: Child, now: float) -> None:
        if child.process is not None and child.process.poll() is not None:
            status = child.process.returncode
            log("child ended, starting another", "warning", child=child.word, status=status)
            calm = now - child.started_at > CALM
            child.process, child.died_at = None, now
            child.start_at = now + (0.0 if calm else child.pause)
            child.pause = (
                FIRST_PAUSE if calm else min(max(child.pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
            )
        if child.process is None and now >= child.start_at:
            self._start(child, now)

    def _start(self, child: Child, now: float) -> None:
        arguments = [str(self._settings.routers), str(child.line.fileno())]
        if child is self._machine and child.died_at is not None:
            arguments.append(repr(child.died_at))
        child.process = subprocess.Popen(
            [sys.executable, "-m", "libra_vrrp", child.word, *arguments],
            pass_fds=[child.line.fileno()],
            start_new_session=True,
        )
        child.started_at = now
        log("child started", child=child.word, pid=child.process.pid)

    def _patience(self, now: float) -> float:
        pending = [c.start_at for c in (self._machine, self._reporter) if c.process is None]
        return max(min(pending) - now, 0.0) if pending else 3600.0

    def _await_end(self, child: Child) -> None:
        """Wait for a child that was told to end; without CAP_KILL the reporter is beyond us."""
        if child.process is None:
            return
        try:
            child.process.wait(GOODBYE[child.word])
        except subprocess.TimeoutExpired:
            log("child does not end, killing it", "warning", child=child.word)
            with contextlib.suppress(PermissionError):
                child.process.kill()
                child.process.wait()


def main(arguments: list[str]) -> None:
    """Run the parent; a wrong setting is one sentence and exit status 1."""
    try:
        settings = from_environment(arguments)
        settings.state.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError) as wrong:
        sys.exit(f"libra-vrrp: {wrong}")
    os.environ["LIBRA_NODE"] = settings.node
    begin()
    trouble = lacking(MACHINE)
    if trouble is not None:
        from libra_vrrp.shell.standing_by import stand_by  # noqa: PLC0415 - slow, seldom needed

        stand_by(trouble)
    Parent(settings).run()

"""The line on which machine and reporter talk; the guard keeps both ends, and has words of its own.

A reporter of another user gets no signal from a guard without CAP_KILL, but hears a word.
"""

import contextlib
import socket
from typing import Final

from libra_vrrp import reports
from libra_vrrp.reports import Farewell, Numbered, Report
from libra_vrrp.settings import Settings
from libra_vrrp.shell.child import Child
from libra_vrrp.shell.privileges import ordinary

AGAIN: Final = 0.1
"""Seconds after which a word is said again for which there was no room."""


class ReporterLine:
    """It lives as long as the guard, so that the death of one child breaks nothing."""

    def __init__(self, reporter: Child, settings: Settings) -> None:
        self._reporter, self._settings = reporter, settings
        self.machines, self.reporters = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.machines.setblocking(False)
        self._unsaid: list[Report] = []

    def start(self, now: float) -> None:
        """Start the reporter; raise `OSError`."""
        line, settings = self.reporters.fileno(), self._settings
        alone = [] if settings.config is None else [str(settings.config)]
        arguments = [str(settings.routers), str(line), *alone]
        ordinary(self._reporter.start(arguments, [line], now))

    def say(self, word: Report) -> None:
        """Say a word of the parent, now or when there is room."""
        if word not in self._unsaid:
            self._unsaid.append(word)
        self.flush()

    def flush(self) -> None:
        """Say what was not said yet."""
        with contextlib.suppress(OSError):  # no room: the reporter is busy, or hangs
            while self._unsaid:
                self.machines.send(_line(self._unsaid[0]))
                del self._unsaid[0]

    def due_at(self, now: float) -> float:
        """Return when to flush again."""
        return now + AGAIN if self._unsaid else float("inf")

    def retire(self) -> None:
        """Have the reporter end in its own time; no other is started."""
        self._reporter.retire()
        self.say(Farewell())

    def dismiss(self, patience: float) -> None:
        """Let the reporter take the machine's last words, and end it within `patience` seconds."""
        self.machines.settimeout(patience)
        with contextlib.suppress(OSError):  # it hangs
            self.machines.send(_line(Farewell()))
        self._reporter.await_end(patience)


def _line(word: Report) -> bytes:
    return reports.dumps(Numbered("", 0, word))

"""Standard error that holds nobody up, light enough for the VRRP machine.

Rule: who writes never waits. What a reader that stopped reading leaves no room for is dropped,
counted, and told in its place, or when there is room again.
"""

import atexit
import io
import os
import select
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Final, TextIO, cast

LIMIT: Final = 1 << 20
"""Bytes that wait at most for who reads."""

LAST_WORDS: Final = 0.5
"""Seconds that a process that ends waits for its last lines to be read."""


class Outlet(io.TextIOBase):
    """Lines to *descriptor*, by a thread of their own; `dropped` counts those that had no room.

    *note(count)* gives the line, with its end, that stands for lines dropped.
    """

    def __init__(self, descriptor: int, note: Callable[[int], str], limit: int = LIMIT) -> None:
        super().__init__()
        self.dropped = 0
        self._descriptor = descriptor
        self._note = note
        self._limit = limit
        self._untold = 0
        self._held = 0
        self._begun = ""
        self._lines: deque[bytes] = deque()
        self._changed = threading.Condition(threading.RLock())
        _start(self._work)

    def write(self, text: str) -> int:
        """Take text; lines go out whole."""
        with self._changed:
            *lines, self._begun = (self._begun + text).split("\n")
            for line in lines:
                self._take(f"{line}\n".encode(errors="backslashreplace"))
        return len(text)

    def drain(self, seconds: float) -> None:
        """Wait until everything is out, for a while; a line that has no end yet is one now."""
        with self._changed:
            if self._begun:
                self.write("\n")
            self._changed.wait_for(lambda: not self._held, seconds)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Say whether the descriptor is a terminal."""
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        """Say yes."""
        return True

    def _take(self, line: bytes) -> None:
        if self._held and self._held + len(line) > self._limit:
            self.dropped += 1
            self._untold += 1
            return
        self._tell_dropped()
        self._put(line)

    def _tell_dropped(self) -> None:
        if self._untold:
            count, self._untold = self._untold, 0
            self._put(self._note(count).encode())

    def _put(self, line: bytes) -> None:
        self._held += len(line)
        self._lines.append(line)
        self._changed.notify_all()

    def _work(self) -> None:
        while True:
            lines = self._next()
            _send(self._descriptor, lines)
            with self._changed:
                self._held -= len(lines)
                if not self._held:
                    self._tell_dropped()
                self._changed.notify_all()

    def _next(self) -> bytes:
        """Take the lines that wait, as many as a pipe takes whole beside those of others."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines)
            lines = self._lines.popleft()
            while self._lines and len(lines) + len(self._lines[0]) <= select.PIPE_BUF:
                lines += self._lines.popleft()
            return lines


def install(note: Callable[[int], str]) -> Outlet:
    """Put an outlet in the place of `sys.stderr`, for tracebacks too; drain it at the end."""
    if isinstance(sys.stderr, Outlet):
        return sys.stderr
    outlet = Outlet(2, note)
    sys.stderr = cast("TextIO", outlet)
    atexit.register(outlet.drain, LAST_WORDS)
    return outlet


def _start(work: Callable[[], None]) -> None:
    """Start a thread that takes no signal: they are for those who wait for them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        threading.Thread(target=work, name="outlet", daemon=True).start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _send(descriptor: int, line: bytes) -> None:
    """Write one line, however long that takes; give up where nobody can ever read it."""
    while line:
        try:
            line = line[os.write(descriptor, line) :]
        except BlockingIOError:  # somebody else made it so
            select.select([], [descriptor], [])
        except OSError:
            return

"""Matches costly patterns within a bound, in a process that can be killed.

The one rule: no answer of a backend holds the driver up for more than a twentieth of its time.
"""

from __future__ import annotations

import contextlib
import select
import subprocess
import sys
import time
from typing import IO, Final

import structlog

from libra_health.shell import matching
from libra_health.wire import Search, Searched

log = structlog.get_logger()

BUDGET: Final = 0.05
"""Seconds that one match may take."""
PAUSE: Final = 20 * BUDGET
"""Seconds for which a pattern that took too long is not tried again."""
_UNTRIED: Final = Searched(None, tried=False)


class Matcher:
    """Answers `Search`; belongs to the driver's thread. The process is started when needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ready = False
        self._answer = b""
        self._not_before: dict[str, float] = {}

    def prepare(self, seconds: float) -> None:
        """Have the process ready before the first search; wait for it at most so long."""
        process = self._process or self._start()
        if process is not None:
            self._hears(process, seconds)

    def search(self, wanted: Search) -> Searched:
        """Match; `found` is None where that was not decided, `tried` if that is the answer's fault.

        A wait for the processor is not the answer's fault: what counts is the time computed.
        """
        if time.monotonic() < self._not_before.get(wanted.pattern, 0.0):
            return _UNTRIED
        process = self._process or self._start()
        if process is None or not (self._is_ready or self._hears(process, 0.0)):
            return _UNTRIED
        began = _computed(process)
        pattern = wanted.pattern.encode()
        head = matching.SIZES.pack(len(pattern), len(wanted.data))
        try:
            _pipe(process.stdin).write(head + pattern + wanted.data)
            _pipe(process.stdin).flush()
        except OSError:
            self.close()
            return _UNTRIED
        if self._hears(process, BUDGET):
            found, end = matching.ANSWER.unpack(self._answer)
            return Searched(found, end=end)
        return self._give_up(wanted.pattern, process, began)

    def _give_up(self, pattern: str, process: subprocess.Popen[bytes], began: float) -> Searched:
        used = _computed(process) - began
        self._not_before[pattern] = time.monotonic() + PAUSE
        log.warning("pattern takes too long", pattern=pattern, computed=round(used, 3))
        self.close()
        return Searched(None, tried=used > BUDGET / 2)

    def close(self) -> None:
        """End the process."""
        process, self._process, self._is_ready = self._process, None, False
        if process is not None:
            process.kill()
            process.wait()
            _pipe(process.stdout).close()
            with contextlib.suppress(BrokenPipeError):
                _pipe(process.stdin).close()

    def _start(self) -> subprocess.Popen[bytes] | None:
        """Start the process; None where there is no room for it now (EMFILE, EAGAIN, ENOMEM)."""
        command = [sys.executable, "-I", "-S", matching.__file__]
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            log.warning("patterns cannot be matched", error=str(error))
        return self._process

    def _hears(self, process: subprocess.Popen[bytes], seconds: float) -> bool:
        """Wait for a word of the process: it is ready, or it has an answer."""
        out = _pipe(process.stdout)
        waiting = select.poll()
        waiting.register(out, select.POLLIN)
        if not waiting.poll(seconds * 1000):
            return False
        self._answer = out.read(matching.ANSWER.size)
        self._is_ready = len(self._answer) == matching.ANSWER.size
        if not self._is_ready:
            self.close()
        return self._is_ready


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    assert end is not None  # noqa: S101  every process here is started with both pipes
    return end


def _computed(process: subprocess.Popen[bytes]) -> float:
    """Read the processor seconds that a process took, 0 once it ended (clock_getcpuclockid(3))."""
    try:
        return time.clock_gettime((~process.pid << 3) | 2)
    except OSError:
        return 0.0

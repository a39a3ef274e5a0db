"""Matches costly patterns within a bound, in a process that can be killed.

The one rule: no backend's answers take more than a twentieth of the driver's time, nor do those of
all that were ever costly together take more than a tenth of it (libra_health.pauses).
"""

from __future__ import annotations

import contextlib
import select
import subprocess
import sys
import time
from typing import IO, Final

import structlog

from libra_health.pauses import Culprit, Pauses
from libra_health.shell import matching
from libra_health.wire import Search, Searched, Target

log = structlog.get_logger()

BUDGET: Final = 0.05
"""Seconds that one match may take."""
SOON: Final = 0.02
"""Seconds after which it is tried again whether the process is there."""
RETRY: Final = 0.5
"""Seconds after which it is started again where it could not be."""


class Matcher:
    """Answers `Search`; belongs to the driver's thread. The process is started when needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ready = False
        self._answer = b""
        self._pauses = Pauses()
        self._start_after = 0.0

    def prepare(self, seconds: float) -> None:
        """Have the process ready before the first search; wait for it at most so long."""
        process = self._process or self._start()
        if process is not None:
            self._hears(process, seconds)

    def search(self, wanted: Search, whose: Target, *, is_last: bool = False) -> Searched | float:
        """Match what `whose` answered, or tell after how many seconds to ask again.

        `is_last`: the run has to end now, it cannot ask again. `found` is None where it was not
        decided, `tried` if that is the fault of this answer or of the one before.
        """
        culprit, now = (wanted.pattern, whose), time.monotonic()
        left = self._pauses.left(culprit, now, is_last=is_last)
        if not left:
            answer = self._match(wanted, culprit)
            if answer is not None:
                return answer
        if is_last:
            rests = left > 0 and self._pauses.is_blamed(culprit, now)
            return Searched(None, tried=rests)
        return max(left, SOON)

    def _match(self, wanted: Search, culprit: Culprit) -> Searched | None:
        """Have the process match; None while there is none."""
        process = self._process or self._start()
        if process is None or not (self._is_ready or self._hears(process, 0.0)):
            return None
        began, computed = time.monotonic(), _computed(process)
        pattern = wanted.pattern.encode()
        head = matching.SIZES.pack(len(pattern), len(wanted.data))
        try:
            _pipe(process.stdin).write(head + pattern + wanted.data)
            _pipe(process.stdin).flush()
        except OSError:
            self.close()
            return None
        is_answered = self._hears(process, BUDGET)
        used = _computed(process) - computed
        if not is_answered:
            return self._give_up(culprit, used, began)
        self._pauses.account(culprit, max(0.0, used), time.monotonic(), exploded=False)
        found, end = matching.ANSWER.unpack(self._answer)
        return Searched(found, end=end)

    def _give_up(self, culprit: Culprit, used: float, began: float) -> Searched:
        """Replace the process at once; all that took is the culprit's to pay.

        A wait for the processor is not the answer's fault: what counts is the time computed.
        """
        self.close()
        self._start()
        pattern, target = culprit
        exploded, now = used > BUDGET / 2, time.monotonic()
        self._pauses.account(culprit, now - began, now, exploded=exploded)
        log.warning(
            "pattern takes too long", pattern=pattern, target=str(target), computed=round(used, 3)
        )
        return Searched(None, tried=exploded)

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
        if time.monotonic() < self._start_after:
            return None
        command = [sys.executable, "-I", "-S", matching.__file__]
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            self._start_after = time.monotonic() + RETRY
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

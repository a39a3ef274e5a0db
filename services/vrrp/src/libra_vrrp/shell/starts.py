"""The state file of seals on its disk: drawn from once at the start, kept up beside the timers.

A disk that takes nothing is told and tried again; it never stops VRRP, because the salt of each
session keeps its keys unique whatever was stored (ADR 12).
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from libra_runtime.kept import keep, kept
from libra_vrrp.seal.starts import MalformedStarts, Starts, begun, dumps, loads, merged, proved
from libra_vrrp.shell.aside import Aside

RETRY: Final = 10.0
"""Seconds after which a disk that took nothing is tried again."""
PATIENCE: Final = 1.0
"""Seconds that a disk has to take the start before it is used all the same."""

LOST: Final = "no earlier start is known: the state file of seals was lost"


class Book:
    """What is known of starts: `told(trouble)` hears of troubles, `ready(now)` of our own start."""

    def __init__(
        self,
        file: Path,
        aside: Aside,
        told: Callable[[str], None],
        ready: Callable[[float], None],
        now: float,
    ) -> None:
        self._file, self._aside, self._told, self._ready = file, aside, told, ready
        self._starts = Starts()
        self._stored: Starts | None = None
        self._is_drawn = self._is_writing = self._is_stuck = False
        self._retry_at = now + PATIENCE
        aside.do(self._read, self._drawn)

    @property
    def own(self) -> int | None:
        """Return the start of this process; None while the disk has time left to take it."""
        return self._starts.own or None

    def highest(self, sender: bytes) -> int:
        """Return the highest start that a sender proved, 0 for none."""
        return self._starts.proven.get(sender, 0)

    def proved(self, sender: bytes, start: int, now: float) -> None:
        """Remember a start that answered our challenge."""
        self._starts = proved(self._starts, sender, start)
        self._write(now)

    def wake_at(self) -> float:
        """Return when `tend` is next due."""
        return float("inf") if self._is_at_rest() else self._retry_at

    def tend(self, now: float) -> None:
        """Go on without a disk that takes too long, and try again one that took nothing."""
        if self._is_at_rest() or now < self._retry_at:
            return
        self._retry_at = now + RETRY
        if self.own is None:
            self._told(f"{self._file}: the disk does not answer; going on without it")
            self._starts = begun(self._starts)
            self._ready(now)
        self._write(now)

    def _is_at_rest(self) -> bool:
        return self._is_drawn and self._stored == self._starts

    def _read(self) -> tuple[Starts, str | None]:
        """Draw a start: read, count, and have the disk take it. Runs aside."""
        found, trouble = self._found()
        starts = begun(found)
        try:
            keep(self._file, dumps(starts))
        except OSError as wrong:
            return starts, f"{self._file}: {wrong.strerror}: this start is not stored"
        self._stored = starts
        return starts, trouble

    def _found(self) -> tuple[Starts, str | None]:
        """Read what is kept; where its directory is not there either, seals are new here."""
        try:
            text = kept(self._file)
            if text is not None:
                return loads(text), None
            return Starts(), f"{self._file}: {LOST}" if self._file.parent.is_dir() else None
        except MalformedStarts as wrong:
            return Starts(), f"{self._file}: {wrong}; starts are counted anew"
        except OSError as wrong:
            return Starts(), f"{self._file}: {wrong.strerror}; starts are counted anew"

    def _drawn(self, drawn: tuple[Starts, str | None] | OSError, now: float) -> None:
        """Take what the disk said; where we went on without it, only its memory is of use."""
        starts, trouble = (Starts(), str(drawn)) if isinstance(drawn, OSError) else drawn
        self._is_drawn, self._starts = True, merged(self._starts, starts)
        if trouble is not None:
            self._told(trouble)
        self._is_stuck = self._stored is None
        self._retry_at = now + RETRY
        if not self._is_stuck:
            self._write(now)
        self._ready(now)

    def _write(self, now: float) -> None:
        if self._is_writing or self._is_at_rest() or not self._is_drawn:
            return
        self._is_writing, self._retry_at = True, now + RETRY
        content = self._starts
        self._aside.do(partial(keep, self._file, dumps(content)), partial(self._written, content))

    def _written(self, content: Starts, failed: OSError | None, now: float) -> None:
        self._is_writing = False
        if failed is None:
            self._stored, self._is_stuck = content, False
            self._write(now)
        elif not self._is_stuck:
            self._is_stuck = True
            self._told(f"{self._file}: {failed.strerror}; what is proven is not stored")

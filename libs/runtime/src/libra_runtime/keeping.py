"""A kept file behind a disk that may be full: caught up as soon as there is room."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from libra_runtime.kept import keep

RETRY: Final = 1.0
"""Seconds after which a disk that took nothing is tried again."""


class Keeping:
    """A small file that holds its newest content as soon as the disk takes it.

    Rule: a disk that takes nothing is told once, by `said(why)`, and tried again by `run`; each
    content that came to rest is told by `done()`.
    """

    def __init__(
        self,
        path: Path,
        said: Callable[[str], None],
        done: Callable[[], None] = lambda: None,
        mode: int = 0o600,
    ) -> None:
        """Keep at *path* with the permissions *mode*; `trouble` says why it does not hold all."""
        self.trouble: str | None = None
        self._path = path
        self._said = said
        self._done = done
        self._mode = mode
        self._waiting: bytes | None = None
        self._is_stuck = asyncio.Event()

    def put(self, content: bytes) -> None:
        """Keep *content* in place of what was kept or waits."""
        self._waiting = content
        self._try()

    async def run(self) -> None:
        """Try again what the disk did not take, until cancelled."""
        while True:
            await self._is_stuck.wait()
            await asyncio.sleep(RETRY)
            self._try()

    def _try(self) -> None:
        if self._waiting is None:
            return
        try:
            keep(self._path, self._waiting, self._mode)
        except OSError as error:
            self._complain(f"{self._path}: {error.strerror}")
            return
        self._waiting = self.trouble = None
        self._is_stuck.clear()
        self._done()

    def _complain(self, why: str) -> None:
        news, self.trouble = why != self.trouble, why
        self._is_stuck.set()
        if news:
            self._said(why)

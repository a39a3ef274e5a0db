"""Probes out of turn: at once, and every 100 ms while a backend is in trouble.

The one rule: only so many hurry at a time; whoever comes later is run once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final

from libra_health.shell.loop import Loop
from libra_health.shell.seat import Seat

PACE: Final = 0.1
"""Seconds from one run to the next."""
MOST: Final = 200
"""Probes that hurry at a time: 2,000 runs a second."""


class Haste:
    """Runs probes by `run(seat)` beside their grid."""

    def __init__(self, loop: Loop, run: Callable[[Seat], None]) -> None:
        self._loop = loop
        self._run = run
        self._until: dict[Seat, float] = {}

    def begin(self, seat: Seat, lasting: float) -> None:
        """Run a probe now and, for `lasting` seconds, again and again; no sooner than it may."""
        now = time.monotonic()
        if seat in self._until:
            self._until[seat] = max(self._until[seat], now + lasting)
            return
        self._until[seat] = now + lasting if len(self._until) < MOST else now
        self._loop.call_at(now, partial(self._go, seat))

    def _go(self, seat: Seat) -> None:
        now = time.monotonic()
        if not seat.is_retired:
            self._run(seat)
            if now + PACE <= self._until[seat]:
                self._loop.call_at(now + PACE, partial(self._go, seat))
                return
        del self._until[seat]

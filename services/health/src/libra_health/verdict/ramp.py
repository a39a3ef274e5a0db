"""Slow start: a backend that came back gets its weight in steps.

The one rule: it begins with a tenth and has all of it after the whole span; the share follows from
the time alone, so that a step that was missed is made up for by the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STEPS: Final = 10
LOWEST: Final = 10
"""Percent of its weight that a backend begins with."""
WHOLE: Final = 100
_CLOSE: Final = 1e-6
"""Of a step: what a float of seconds may be off."""


@dataclass(frozen=True, slots=True)
class Ramp:
    """A slow start that `began` at that monotonic second and takes `span` seconds."""

    began: float
    span: float


def share(ramp: Ramp, now: float) -> int:
    """Tell how much of its weight a backend has, in percent: 10, 19, 28 ... 100."""
    step = min(STEPS, max(0, _step(ramp, now)))
    return LOWEST + (WHOLE - LOWEST) * step // STEPS


def next_step(ramp: Ramp, now: float) -> float:
    """Tell when the share grows next, monotonic seconds."""
    return ramp.began + (_step(ramp, now) + 1) * ramp.span / STEPS


def resumed(percent: int, span: float, now: float) -> Ramp:
    """Go on from the step at which a slow start had reached *percent*."""
    step = max(0, percent - LOWEST) * STEPS // (WHOLE - LOWEST)
    return Ramp(now - step * span / STEPS, span)


def adjusted(ramp: Ramp | None, span: float, now: float) -> Ramp | None:
    """Go on under another span; without any it is over."""
    if ramp is None or span <= 0:
        return None
    return ramp if ramp.span == span else resumed(share(ramp, now), span, now)


def _step(ramp: Ramp, now: float) -> int:
    return int((now - ramp.began) / (ramp.span / STEPS) + _CLOSE)

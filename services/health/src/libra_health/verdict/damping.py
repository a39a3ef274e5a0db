"""Flap damping: a backend whose verdict changes too often stays down until it has been steady.

The one rule: a hold begins with the change that makes the count full, every further change puts
its end off, and when it ends all is forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Damping:
    """`changes` within `within` seconds begin a hold; `stable` seconds without one end it."""

    changes: int
    within: float
    stable: float


@dataclass(frozen=True, slots=True)
class Flaps:
    """The latest changes of a backend, monotonic seconds, oldest first; whether it is held down."""

    times: tuple[float, ...] = ()
    is_held: bool = False


CALM: Final = Flaps()


def resumed(now: float) -> Flaps:
    """Take up a hold that the log tells of, as if the last change had just been."""
    return Flaps((now,), is_held=True)


def changed(flaps: Flaps, damping: Damping, now: float) -> Flaps:
    """Count one change."""
    before = rested(flaps, damping, now)
    times = (*before.times, now)[-damping.changes :]
    is_full = len(times) == damping.changes and now - times[0] <= damping.within
    return Flaps(times, before.is_held or is_full)


def rested(flaps: Flaps, damping: Damping, now: float) -> Flaps:
    """End a hold whose time has come."""
    return CALM if flaps.is_held and now >= end(flaps, damping) else flaps


def end(flaps: Flaps, damping: Damping) -> float:
    """Tell when a hold ends if nothing changes any more, monotonic seconds."""
    return flaps.times[-1] + damping.stable


def adjusted(flaps: Flaps, damping: Damping | None) -> Flaps:
    """Go on under other settings; without any a hold ends."""
    return CALM if damping is None else replace(flaps, times=flaps.times[-damping.changes :])

"""Blast-radius guard: how much of a pool health may take out within a time.

The one rule: of backends that only fail no more than the allowance go per window, those that failed
first before the others; one that refuses connections always goes, and takes its part of the room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guard:
    """`most` backends of a pool may be taken out within `within` seconds."""

    most: int
    within: float


@dataclass(frozen=True, slots=True)
class Member:
    """One backend of a pool as the guard sees it; times in monotonic seconds.

    `failing`: since when it serves though it is to go, None where it is not.
    `removed`: when health took it out, None where it is in or never was.
    """

    failing: float | None = None
    refuses: bool = False
    removed: float | None = None


def may_go(pool: Sequence[Member], guard: Guard, now: float) -> list[bool]:
    """Tell of each member whether it may be taken out, if it is to go."""
    permitted = [each.refuses for each in pool]
    refusing = sum(each.refuses and each.failing is not None for each in pool)
    room = guard.most - len(_recent(pool, guard, now)) - refusing
    waiting = [
        (each.failing, place)
        for place, each in enumerate(pool)
        if each.failing is not None and not each.refuses
    ]
    for _, place in sorted(waiting)[: max(0, room)]:
        permitted[place] = True
    return permitted


def due(pool: Sequence[Member], guard: Guard, now: float) -> float | None:
    """Tell when there may be room again, None where nobody waits for it or none will come."""
    if all(each.failing is None for each in pool):
        return None
    return min((removed + guard.within for removed in _recent(pool, guard, now)), default=None)


def _recent(pool: Sequence[Member], guard: Guard, now: float) -> list[float]:
    """List when those were taken out that take up room."""
    removed = (each.removed for each in pool)
    return [when for when in removed if when is not None and now < when + guard.within]

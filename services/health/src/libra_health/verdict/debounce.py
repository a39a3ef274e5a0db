"""Rise and fall: how many equal results in a row settle a verdict.

The one rule: the first verdict falls by the same counts as every later one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final


class Standing(Enum):
    """What is held true of a target."""

    UNKNOWN = auto()
    UP = auto()
    DOWN = auto()


@dataclass(frozen=True, slots=True)
class Debounce:
    """A standing and what speaks against it.

    `streak`: results in a row that contradict it, passes positive, failures negative.
    `since`: monotonic seconds of the first of those that made the standing. `against`: of the
    first of the streak.
    """

    standing: Standing = Standing.UNKNOWN
    streak: int = 0
    since: float = 0.0
    against: float = 0.0


UNDECIDED: Final = Debounce()


def settled(*, up: bool, now: float) -> Debounce:
    """Begin from a verdict that was reached before; when is not known here, `now` stands for it."""
    return Debounce(Standing.UP if up else Standing.DOWN, since=now)


def observe(state: Debounce, *, passed: bool, needed: int, now: float) -> Debounce:
    """Count one result; `needed` is `rise` for a pass and `fall` for a failure.

    Returns the very same object where nothing changed.
    """
    said = Standing.UP if passed else Standing.DOWN
    if state.standing is said:
        return state if state.streak == 0 else Debounce(said, 0, state.since)
    sign = 1 if passed else -1
    continues = state.streak * sign > 0
    count = abs(state.streak) + 1 if continues else 1
    first = state.against if continues else now
    if count >= needed:
        return Debounce(said, 0, first)
    return Debounce(state.standing, sign * count, state.since, first)

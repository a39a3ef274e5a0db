"""Pool arithmetic: whether a service has its quorum (design §4).

Rule: only health decides. A drain or a weight of 0 never takes a service down by itself, and what
is not known yet is neither counted for the service nor held against it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Health = Literal["up", "down", "unknown"]


@dataclass(frozen=True, slots=True)
class Member:
    """One backend of a pool.

    *weight* is the config's; *available* is False while an operator holds it in maintenance.
    """

    health: Health
    weight: int
    available: bool = True

    @property
    def nominal(self) -> int:
        """What it counts for: its weight, and 1 where that is 0."""
        return max(self.weight, 1)

    @property
    def eligible(self) -> bool:
        """Whether it may serve: healthy, and not in maintenance."""
        return self.available and self.health == "up"

    @property
    def possible(self) -> bool:
        """Whether it serves or, for all we know, may serve."""
        return self.available and self.health != "down"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A pool's arithmetic; *up* is None before anything can be said."""

    up: bool | None
    live_weight: int
    quorum: int
    hysteresis: int
    eligible: int
    backends: int


def judge(
    members: Iterable[Member], quorum: int, hysteresis: int, *, was_up: bool | None
) -> Verdict:
    """Judge a pool: up at quorum + hysteresis, down below quorum - hysteresis or with nothing live.

    *quorum* is clipped to the weight of the whole pool, as keepalived does. A pool that was never
    judged comes up at its plain quorum, and goes down only when nothing unknown could save it.
    """
    pool = tuple(members)
    live = sum(member.nominal for member in pool if member.eligible)
    possible = sum(member.nominal for member in pool if member.possible)
    needed = min(quorum, _whole(pool))
    rises = needed if was_up is None else min(needed + hysteresis, _whole(pool))
    up = _decide(live, possible, rises, needed - hysteresis, was_up=was_up)
    eligible = sum(member.eligible for member in pool)
    return Verdict(up, live, needed, hysteresis, eligible, len(pool))


def _whole(pool: tuple[Member, ...]) -> int:
    return sum(member.nominal for member in pool)


def _decide(
    live: int, possible: int, rises: int, falls: int, *, was_up: bool | None
) -> bool | None:
    if live > 0 and live >= rises:
        return True
    if possible == 0 or possible < falls:
        return False
    if was_up is None and live == possible:
        return False
    return was_up

"""Whose answers rest before they are searched again, by what searching them cost before.

The one rule: who causes costly searches waits for them, and no other does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeVar

from libra_health.wire import Target

Culprit: TypeAlias = tuple[str, Target]
"""A pattern, and whose answers it is held against."""
T = TypeVar("T")

REST: Final = 20
"""Seconds of rest that one of a search earns: a twentieth of the time goes to one culprit."""
ALL_REST: Final = 10
"""Seconds of rest that one earns all that are suspected: a tenth goes to them together."""
CREDIT: Final = 0.2
"""Seconds of rest that may be owed: what costs 10 ms at once, or always little, never waits."""
LAST_CREDIT: Final = 1.0
"""Seconds of rest that may be owed by a run that has to end now."""
ALL_CREDIT: Final = 0.5
"""Seconds of rest that all who are suspected may owe together when a run has to end now."""
SUSPICIOUS: Final = 0.1
"""Seconds of rest owed from which on a culprit shares its time with others that owed so much."""
SUSPECTED: Final = 600.0
"""Seconds for which it does."""
MOST: Final = 4096
"""Culprits remembered; the one that was searched longest ago is forgotten."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Until when it is held, and whether the last answer exploded."""

    until: float
    exploded: bool


@dataclass(slots=True)
class Pauses:
    """What each culprit owes; every `now` is in monotonic seconds."""

    _paid: dict[Culprit, float] = field(default_factory=dict)
    _suspects: dict[Culprit, Suspicion] = field(default_factory=dict)
    _all_paid: float = 0.0

    def left(self, culprit: Culprit, now: float, *, is_last: bool = False) -> float:
        """Tell for how many seconds not to search; `is_last`: its run has to end now."""
        credit = LAST_CREDIT if is_last else CREDIT
        left = self._paid.get(culprit, 0.0) - credit - now
        if self._suspicion(culprit, now) is not None:
            left = max(left, self._all_paid - (ALL_CREDIT if is_last else 0.0) - now)
        return max(0.0, left)

    def is_blamed(self, culprit: Culprit, now: float) -> bool:
        """Tell whether the last of its answers that was searched exploded."""
        suspicion = self._suspicion(culprit, now)
        return suspicion is not None and suspicion.exploded

    def account(self, culprit: Culprit, cost: float, now: float, *, exploded: bool) -> None:
        """Take note of a search that cost so many seconds."""
        paid = max(now, self._paid.pop(culprit, 0.0)) + REST * cost
        _remember(self._paid, culprit, paid)
        suspicion = self._suspicion(culprit, now)
        if exploded or paid - now > SUSPICIOUS:
            suspicion = Suspicion(now + SUSPECTED, exploded)
        elif suspicion is not None:
            suspicion = Suspicion(suspicion.until, exploded)
        self._suspects.pop(culprit, None)
        if suspicion is not None:
            _remember(self._suspects, culprit, suspicion)
            self._all_paid = max(now, self._all_paid) + ALL_REST * cost

    def _suspicion(self, culprit: Culprit, now: float) -> Suspicion | None:
        suspicion = self._suspects.get(culprit)
        return None if suspicion is None or suspicion.until <= now else suspicion


def _remember(among: dict[Culprit, T], culprit: Culprit, what: T) -> None:
    among[culprit] = what
    if len(among) > MOST:
        del among[next(iter(among))]

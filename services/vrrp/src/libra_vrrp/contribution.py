"""What a tracked object adds to the priority of a virtual router, or that it is a fault.

One rule: with a weight it never is a fault, without one it never moves the priority.
"""

from dataclasses import dataclass
from typing import Final

LARGEST: Final = 254
"""What one object adds or takes at most: all that a priority can be moved by."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """`delta` is added to the priority, None means a fault; `why` says what was seen."""

    delta: int | None = 0
    why: str = ""

    @property
    def rank(self) -> float:
        """Order contributions: a fault is the worst."""
        return float("-inf") if self.delta is None else self.delta


NOTHING: Final = Contribution()


@dataclass(frozen=True, slots=True)
class Moved:
    """An object such as `program.gw` that moves the priority, or is a fault."""

    source: str
    by: Contribution


def of_state(weight: int | None, *, up: bool, why: str) -> Contribution:
    """Weigh what is up or down; a weight above 0 counts while it is up (as keepalived has it)."""
    if weight is None:
        return NOTHING if up else Contribution(None, why)
    return Contribution(weight, why) if up == (weight > 0) else NOTHING


def of_number(weight: int | None, number: int, why: str) -> Contribution:
    """Weigh a number: times the weight it is added, without a weight any but 0 is a fault."""
    if number == 0:
        return NOTHING
    if weight is None:
        return Contribution(None, why)
    return Contribution(min(max(weight * number, -LARGEST), LARGEST), why)

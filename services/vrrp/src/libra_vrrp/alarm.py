"""Alarms about peers, rate limited per kind.

One rule: the first is reported at once; what follows within `QUIET` seconds is only counted.
"""

from dataclasses import dataclass
from typing import Final

QUIET: Final = 10.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Rung:
    """When alarms of one kind were last reported, and how many were held back since."""

    at: float = float("-inf")
    held: int = 0


def ring(last: Rung, now: float) -> tuple[Rung, int]:
    """Return how many alarms to report now: 0 while it is to be quiet."""
    if now - last.at < QUIET:
        return Rung(last.at, last.held + 1), 0
    return Rung(now), last.held + 1

"""Alarms about peers, rate limited per kind.

One rule: the first is reported at once; what follows within `quiet` seconds is only counted.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Quiet:
    """When each alarm was last reported, and how often it was held back since."""

    quiet: float = 10.0
    last: Mapping[Hashable, tuple[float, int]] = field(default_factory=dict)


def ring(known: Quiet, key: Hashable, now: float) -> tuple[Quiet, int]:
    """Return how many alarms to report now under `key`: 0 while it is to be quiet."""
    at, held = known.last.get(key, (float("-inf"), 0))
    if now - at < known.quiet:
        return Quiet(known.quiet, {**known.last, key: (at, held + 1)}), 0
    return Quiet(known.quiet, {**known.last, key: (now, 0)}), held + 1

"""Effective weight: what the checks give, or the config, and how much of it counts now.

The one rule: it is computed from its members each time; nothing is ever added to what it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from libra_health.verdict.ramp import WHOLE

HEAVIEST: Final = 65535
"""linux/ip_vs.h takes more; config and events end here."""
PAUSE: Final = 5.0
"""Seconds at least from one event of a backend to one that says only another weight of a check."""


def given(contributions: Iterable[int | None]) -> int | None:
    """Add up what checks contribute, 0 to 65535; None where none says anything of the weight."""
    said = [each for each in contributions if each is not None]
    return min(HEAVIEST, max(0, sum(said))) if said else None


def scaled(weight: int, percent: int) -> int:
    """Take *percent* of a weight; of what is not 0 something is always left."""
    return max(min(weight, 1), weight * percent // WHOLE)


def recalled(weight: int, percent: int | None, configured: int) -> int | None:
    """Find what checks gave of which *percent* was *weight*; None where it was the config's."""
    if percent is None:
        return weight
    if scaled(configured, percent) == weight:
        return None
    return min(HEAVIEST, -(-weight * WHOLE // percent))

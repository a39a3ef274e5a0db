"""Learns after how long a server ends idle connections.

The one rule: it takes several ends of like age, after each of which the server was sound.
"""

from __future__ import annotations

from math import inf
from typing import Final

LIVES: Final = 3
"""Ends of like age that make an idle timeout."""
RENEWAL: Final = 0.9
"""The part of it after which a connection is renewed."""


def timeout(lives: tuple[float, ...]) -> float | None:
    """Tell after how many seconds a server ends idle connections; None where it is not known."""
    if len(lives) < LIVES or not alike(max(lives), min(lives)):
        return None
    return min(lives)


def learned(lives: tuple[float, ...], life: float) -> tuple[float, ...]:
    """Add the age of one more connection that a sound server ended."""
    return (*lives, life)[-LIVES:]


def allowed(lives: tuple[float, ...]) -> float:
    """Tell for how many seconds a connection is kept before it is renewed."""
    known = timeout(lives)
    return inf if known is None else RENEWAL * known


def alike(one: float, other: float) -> bool:
    """Whether two ages may come from one timeout: a tenth or a second apart, of short ones less."""
    longer = max(one, other)
    return abs(one - other) <= max(0.1 * longer, min(1.0, 0.25 * longer))

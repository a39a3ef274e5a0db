"""Alarms about peers, rate limited.

One rule: the first is reported at once; what follows within `QUIET` seconds is only counted. No
alarm is held back for one of another kind or reason, nor, but for a bound, of another source.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

QUIET: Final = 10.0
"""Seconds."""
SOURCES: Final = 8
"""Sources of one virtual router that have limits of their own; whoever comes beyond shares one."""


@dataclass(frozen=True, slots=True)
class Rung:
    """When alarms of one kind were last reported, and how many were held back since."""

    at: float = float("-inf")
    held: int = 0


@dataclass(frozen=True, slots=True)
class Cause:
    """What an alarm is about: `reason` is a word of ours, never what a peer said."""

    kind: str
    reason: str
    source: str | None


Rungs: TypeAlias = Mapping[Cause, Rung]
"""The limits of one virtual router."""


def ring(last: Rung, now: float) -> tuple[Rung, int]:
    """Return how many alarms to report now: 0 while it is to be quiet."""
    if now - last.at < QUIET:
        return Rung(last.at, last.held + 1), 0
    return Rung(now), last.held + 1


def ring_for(rungs: Rungs, cause: Cause, now: float) -> tuple[Rungs, int]:
    """Return how many alarms of a cause to report now.

    A limit that nobody came to for long is forgotten, and what was held back by it.
    """
    if cause not in rungs:
        rungs = {known: one for known, one in rungs.items() if now - one.at < 2 * QUIET}
        named = sum(known.source is not None for known in rungs)
        if cause.source is not None and named >= SOURCES:
            cause = Cause(cause.kind, cause.reason, None)
    last, times = ring(rungs.get(cause, Rung()), now)
    return {**rungs, cause: last}, times

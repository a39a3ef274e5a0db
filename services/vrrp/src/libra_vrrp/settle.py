"""Debounce by time: what is seen of a tracked object counts once it has lasted.

One rule: the first that is seen counts at once; what is worse must last `down_for`, what is better
`up_for`. Times are seconds of the monotonic clock.
"""

from dataclasses import dataclass
from typing import Final

from libra_vrrp.contribution import Contribution


@dataclass(frozen=True, slots=True)
class Delays:
    """How long, in seconds, a change for the worse and one for the better must last."""

    down_for: float = 0.0
    up_for: float = 0.0


AT_ONCE: Final = Delays()


@dataclass(frozen=True, slots=True)
class Settled:
    """What counts, and what will from `due` on if nothing else is seen until then."""

    standing: Contribution
    coming: Contribution | None = None
    since: float = 0.0
    due: float = float("inf")


def settle(known: Settled | None, seen: Contribution, delays: Delays, now: float) -> Settled:
    """Take in what is seen of an object now."""
    if known is None:
        return Settled(seen)
    if seen.rank == known.standing.rank:
        return Settled(known.standing)
    is_worse = seen.rank < known.standing.rank
    since = now if known.coming is None or _is_worse(known) != is_worse else known.since
    due = since + (delays.down_for if is_worse else delays.up_for)
    return Settled(seen) if now >= due else Settled(known.standing, seen, since, due)


def _is_worse(known: Settled) -> bool:
    return known.coming is not None and known.coming.rank < known.standing.rank

"""What is said of a priority that tracked objects move.

One rule: a report names every object that counts, and why.
"""

from dataclasses import replace
from typing import Final, TypeAlias

from libra_vrrp.contribution import Moved
from libra_vrrp.reports import Transition, Weighed
from libra_vrrp.tracking import Tracking
from libra_vrrp.why import Why

_NAMED: Final = 5
"""Objects that a state names; `vrrp.priority` names them all."""

Sum: TypeAlias = tuple[int, tuple[tuple[str, int], ...]]
"""A priority, and what each object adds to it."""


def summed(priority: int, tracking: Tracking) -> Sum:
    """Return what makes two priorities the same: the sum and what it is made of."""
    deltas = ((one.source, one.by.delta) for one in tracking.moved if one.by.delta is not None)
    return priority, tuple(sorted(deltas))


def weighed(instance: str, priority: int, configured: int, said: Tracking, wall: float) -> Weighed:
    """Describe a priority that changed; `wall` is unix time."""
    moved = tuple(
        (one.source, one.by.delta, one.by.why) for one in said.moved if one.by.delta is not None
    )
    return Weighed(instance, priority, configured, moved, wall)


def explained(said: Transition, configured: int, tracking: Tracking) -> Transition:
    """Say of a state also what tracked objects have to do with it."""
    own = set(said.detail.split("; ")) if said.detail else set()
    why = said.why
    if why == Why.FAULT and own and own <= tracking.faults:
        why = Why.TRACKED.value
    moved = [one for one in tracking.moved if one.by.delta is not None]
    if not moved or said.state not in {"master", "backup"}:
        return replace(said, why=why)
    detail = f"priority {said.priority} instead of {configured}: {_told(moved)}"
    return replace(said, why=why, detail="; ".join(filter(None, (said.detail, detail))))


def _told(moved: list[Moved]) -> str:
    rest = f", and {len(moved) - _NAMED} more" if len(moved) > _NAMED else ""
    return ", ".join(f"{one.by.delta:+d} ({one.by.why})" for one in moved[:_NAMED]) + rest

"""What counts of every tracked object, as the machine is told.

One rule: an object of which nothing is known stands as it stood; the machine holds what it had.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from libra_vrrp.contribution import NOTHING, Moved
from libra_vrrp.orders import Tracked
from libra_vrrp.settle import Settled, settle
from libra_vrrp.watched import Seen

EXPLAINED: Final = 64
"""Objects of an instance whose reasons are told; the others' names have to do."""

Sight: TypeAlias = Mapping[str, tuple[Seen, ...]]
"""What is seen of the tracked objects of each instance."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What counts, by instance and object."""

    settled: Mapping[tuple[str, str], Settled] = field(default_factory=dict)

    @property
    def due(self) -> float:
        """When something changes although nothing new is seen, in monotonic seconds."""
        return min((one.due for one in self.settled.values()), default=float("inf"))


def look(known: Standing, sight: Sight, now: float) -> Standing:
    """Take in what is seen now; what nobody tracks any more is forgotten."""
    found: dict[tuple[str, str], Settled] = {}
    for instance, objects in sight.items():
        for one in objects:
            key = instance, one.source
            before = known.settled.get(key)
            if one.contribution is not None:
                found[key] = settle(before, one.contribution, one.delays, now)
            elif before is not None:
                found[key] = before
    return Standing(found)


def orders(standing: Standing, sight: Sight) -> tuple[Tracked, ...]:
    """Return what the machine is to be told of each instance."""
    return tuple(_order(standing, instance, objects) for instance, objects in sight.items())


def _order(standing: Standing, instance: str, objects: tuple[Seen, ...]) -> Tracked:
    moved: list[Moved] = []
    held: list[str] = []
    for one in objects:
        settled = standing.settled.get((instance, one.source))
        if settled is None:
            held.append(one.source)
        elif settled.standing != NOTHING:
            moved.append(Moved(one.source, settled.standing))
    return Tracked(instance, tuple(map(_named, moved, range(len(moved)))), tuple(held))


def _named(moved: Moved, index: int) -> Moved:
    """Keep the reason of the first ones: an order is one datagram."""
    return moved if index < EXPLAINED else replace(moved, by=replace(moved.by, why=moved.source))

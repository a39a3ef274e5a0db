"""What is tracked for one virtual router: what the reporter says, and interfaces by the kernel.

One rule: the reporter's last word on an object holds until it speaks of it again, or names it no
more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from libra_vrrp.contribution import NOTHING, Contribution, Moved, of_state
from libra_vrrp.interfaces import Interfaces, fault_of
from libra_vrrp.orders import Tracked, TrackedLink
from libra_vrrp.settle import Settled, settle


@dataclass(frozen=True, slots=True)
class Tracking:
    """What the reporter told last, and what counts of each tracked interface."""

    told: tuple[Moved, ...] = ()
    links: Mapping[str, Settled] = field(default_factory=dict)

    @property
    def moved(self) -> tuple[Moved, ...]:
        """Every object that moves the priority or is a fault."""
        links = (Moved(f"interface.{name}", one.standing) for name, one in self.links.items())
        return (*(one for one in links if one.by != NOTHING), *self.told)

    @property
    def deltas(self) -> tuple[int, ...]:
        """What is added to the priority."""
        return tuple(one.by.delta for one in self.moved if one.by.delta is not None)

    @property
    def faults(self) -> frozenset[str]:
        """Why the router cannot work."""
        return frozenset(one.by.why for one in self.moved if one.by.delta is None)

    @property
    def due(self) -> float:
        """When `look` changes something although nothing happens."""
        return min(one.due for one in self.links.values()) if self.links else float("inf")


def hear(known: Tracking, said: Tracked) -> Tracking:
    """Take what the reporter says: all that moves us, and of what it knows nothing yet."""
    held = (one for one in known.told if one.source in said.held)
    return replace(known, told=(*said.moved, *held))


def look(
    known: Tracking, tracked: Iterable[TrackedLink], interfaces: Interfaces, now: float
) -> Tracking:
    """Take in what the tracked interfaces are now."""
    links = {
        one.name: settle(known.links.get(one.name), _seen(one, interfaces), one.delays, now)
        for one in tracked
    }
    return replace(known, links=links)


def _seen(one: TrackedLink, interfaces: Interfaces) -> Contribution:
    fault = fault_of(interfaces, one.name)
    why = fault or f"interface {one.name} is up"
    return of_state(one.weight, up=fault is None, why=why)

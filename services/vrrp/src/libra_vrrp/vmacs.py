"""Which virtual MAC interfaces a node is to have, and how those compare that it has.

One rule: what is not ours is never touched, whatever its name.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import assert_never

from libra_vrrp import macvlan
from libra_vrrp.codec import IPV4
from libra_vrrp.interfaces import Interfaces
from libra_vrrp.orders import Instance
from libra_vrrp.rtnetlink import LinkHeld
from libra_vrrp.vmac import VIRTUAL, Vmac, virtual_mac


@dataclass(frozen=True, slots=True)
class Wanted:
    """A virtual MAC interface on its `parent`; it `answers` ARP where it has IPv4 addresses."""

    name: str
    parent: str
    mac: bytes
    answers: bool = field(default=True, compare=False)


class Standing(Enum):
    """How what is there compares to what is wanted."""

    FITS = auto()
    ABSENT = auto()
    STALE = auto()
    """It is ours, and was made for something else."""
    ALIEN = auto()
    ORPHAN = auto()
    """The parent does not exist."""
    BARREN = auto()
    """The parent is a macvlan itself: the kernel would take its parent instead."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make and on which index, what is there at which index, and which to remove."""

    missing: tuple[tuple[Wanted, int], ...]
    there: tuple[tuple[Wanted, int], ...]
    surplus: tuple[int, ...]


def wanted_by(order: Instance) -> Wanted | None:
    """Return the interface that an instance needs, None where it has no virtual MAC."""
    if order.vmac is None:
        return None
    name, mac = order.vmac.name, virtual_mac(order.family, order.vrid)
    answers = any(p.interface == name and p.address.version == IPV4 for p in order.held)
    return Wanted(name, order.interface, mac, answers)


def wanted(orders: Iterable[Instance]) -> frozenset[Wanted]:
    """Return the interfaces that instances need."""
    return frozenset(one for order in orders if (one := wanted_by(order)) is not None)


def handed_round(changes: Iterable[tuple[Instance, Instance]]) -> frozenset[str]:
    """Return the instances that are to have the names of each other's interfaces, in a circle.

    If each waited until the one before it lets go they would wait for ever.
    """
    names = {
        old.vmac.name: new
        for old, new in changes
        if old.vmac is not None and new.vmac is not None and old.vmac.name != new.vmac.name
    }
    before: Collection[str] = ()
    while len(before) != len(names):
        before = names
        names = {at: one for at, one in names.items() if one.vmac and one.vmac.name in before}
    return frozenset(one.name for one in names.values())


def is_ours(link: LinkHeld) -> bool:
    """Say whether an interface was made by LibrA: a virtual router's macvlan, in our group."""
    is_macvlan = link.parent is not None and link.group == macvlan.GROUP
    return is_macvlan and link.mac[:-1] in VIRTUAL.values()


def standing(one: Wanted, known: Interfaces) -> Standing:
    """Compare what is there."""
    parent, link = known.named(one.parent), known.named(one.name)
    if link is not None and not is_ours(link):
        return Standing.ALIEN
    if parent is None:
        return Standing.ORPHAN
    if parent.parent is not None:
        return Standing.BARREN
    if link is None:
        return Standing.ABSENT
    fits = link.parent == parent.index and link.mac == one.mac
    return Standing.FITS if fits else Standing.STALE


def plan(wanted: Collection[Wanted], known: Interfaces) -> Plan:
    """Return what makes the interfaces that are there those that are wanted."""
    stands = {one: standing(one, known) for one in sorted(wanted, key=lambda one: one.name)}
    missing = [one for one, how in stands.items() if how is Standing.ABSENT]
    there = [one for one, how in stands.items() if how is Standing.FITS]
    kept = {one.name for one in there}
    surplus = [at for at, link in known.links.items() if is_ours(link) and link.name not in kept]
    return Plan(
        tuple((one, link.index) for one in missing if (link := known.named(one.parent))),
        tuple((one, link.index) for one in there if (link := known.named(one.name))),
        tuple(surplus),
    )


def lack(one: Wanted, how: Standing) -> str | None:
    """Say what is wrong with an interface, and how to mend it; None where nothing is."""
    match how:
        case Standing.FITS:
            return None
        case Standing.ALIEN:
            return (
                f"interface {one.name} is not LibrA's: remove it (`ip link del {one.name}`), or "
                "give the instance's vmac another name"
            )
        case Standing.BARREN:
            return f"interface {one.parent} is a macvlan itself and carries none: name its parent"
        case Standing.STALE:
            return f"interface {one.name} is there for another virtual router, and is to go"
        case Standing.ABSENT | Standing.ORPHAN:
            return f"interface {one.name} does not exist"
        case _:
            assert_never(how)


def index(vmac: Vmac | None, known: Interfaces) -> int | None:
    """Return the index of a virtual MAC interface; None where it is not there, or not ours."""
    link = None if vmac is None else known.named(vmac.name)
    return link.index if link is not None and is_ours(link) else None

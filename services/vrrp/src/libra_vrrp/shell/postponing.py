"""Changes of routers that work, which wait until what they need is there."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace

from libra_vrrp import vmacs
from libra_vrrp.orders import Instance
from libra_vrrp.seal.coming import Change
from libra_vrrp.shell.ground import Ground


def postponed(
    running: Iterable[Instance], wanted: Mapping[str, Instance], ground: Ground
) -> tuple[tuple[Change, ...], dict[str, Instance]]:
    """Return the changes that wait, and by which orders their routers go on meanwhile.

    Whose virtual MAC interface is to be another's, which waits for it, does not wait for that one.
    """
    found = ((one, wanted[one.name]) for one in running if one.name in wanted)
    stay = [(old, new) for old, new in found if identity(old) == identity(new)]
    rash = vmacs.handed_round(stay)
    early = tuple(one for one in stay if is_early(one, ground, rash))
    return early, {new.name: for_now((old, new), ground, rash) for old, new in early}


def identity(order: Instance) -> tuple[str, int, int]:
    """Return what a virtual router is told apart by: under another one it begins anew."""
    return order.interface, order.family, order.vrid


def is_early(change: Change, ground: Ground, rash: Container[str] = ()) -> bool:
    """Say whether the new seal, or the new virtual MAC but for the `rash`, cannot be used yet."""
    return ground.seals.is_early(change) or _lacks_vmac(change, ground, rash)


def for_now(change: Change, ground: Ground, rash: Container[str] = ()) -> Instance:
    """Return the new order as far as it can be carried out; a virtual MAC has the addresses."""
    old, new = change
    if _lacks_vmac(change, ground, rash):
        new = replace(new, vmac=old.vmac, places=old.places, excluded=old.excluded)
    return replace(new, seal=old.seal) if ground.seals.is_early(change) else new


def of_seals(changes: Iterable[Change], ground: Ground) -> tuple[Change, ...]:
    """Return the changes that wait for a seal."""
    return tuple(filter(ground.seals.is_early, changes))


def _lacks_vmac(change: Change, ground: Ground, rash: Container[str]) -> bool:
    old, new = change
    is_new = new.vmac is not None and new.vmac != old.vmac and new.name not in rash
    return is_new and ground.vmacs.is_opening(new, ground.interfaces)

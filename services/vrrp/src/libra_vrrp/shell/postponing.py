"""Changes of routers that work, which wait until what they need is there."""

from collections.abc import Iterable
from dataclasses import replace

from libra_vrrp.orders import Instance
from libra_vrrp.seal.coming import Change
from libra_vrrp.shell.ground import Ground


def is_early(change: Change, ground: Ground) -> bool:
    """Say whether the new seal, or the new virtual MAC, cannot be used yet."""
    return ground.seals.is_early(change) or _lacks_vmac(change, ground)


def for_now(change: Change, ground: Ground) -> Instance:
    """Return the new order as far as it can be carried out; a virtual MAC has the addresses."""
    old, new = change
    if _lacks_vmac(change, ground):
        new = replace(new, vmac=old.vmac, places=old.places, excluded=old.excluded)
    return replace(new, seal=old.seal) if ground.seals.is_early(change) else new


def of_seals(changes: Iterable[Change], ground: Ground) -> tuple[Change, ...]:
    """Return the changes that wait for a seal."""
    return tuple(filter(ground.seals.is_early, changes))


def _lacks_vmac(change: Change, ground: Ground) -> bool:
    old, new = change
    is_new = new.vmac is not None and new.vmac != old.vmac
    return is_new and ground.vmacs.is_opening(new, ground.interfaces)

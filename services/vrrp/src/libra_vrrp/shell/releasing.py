"""Leased addresses are given up, with what goes with them."""

from libra_vrrp import vmacs
from libra_vrrp.orders import Place
from libra_vrrp.renewal import Remove
from libra_vrrp.routing import Entry
from libra_vrrp.shell.ground import Ground
from libra_vrrp.shell.placing import targets
from libra_vrrp.vmac import Vmac


def release(
    ground: Ground,
    places: tuple[Place, ...],
    entries: tuple[Entry, ...] = (),
    vmac: Vmac | None = None,
    beside: tuple[Place, ...] = (),
) -> None:
    """Have leased addresses removed, whether they are there or not, but never a rival's.

    Routes and rules go with them; where the virtual MAC goes too, its interface is set down. An
    address may be there as in `beside` too: that is no host's own.
    """
    places, entries = tuple(dict.fromkeys(places)), tuple(dict.fromkeys(entries))
    found, down = targets(ground, places, beside), vmacs.index(vmac, ground.interfaces)
    if (found or entries or down is not None) and ground.claim.rival is None:
        ground.work(Remove(found, entries, down))

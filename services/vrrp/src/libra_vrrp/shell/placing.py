"""Where on the kernel's interfaces the virtual addresses of an order are."""

from libra_vrrp.orders import Instance, Place
from libra_vrrp.rtnetlink import IpAddress, Target
from libra_vrrp.shell.ground import Ground
from libra_vrrp.vmac import Vmac


def reshaped(old: Instance, new: Instance) -> tuple[Place, ...]:
    """Return the places of an order that another one has with another prefix length."""
    stay = {(place.interface, place.address) for place in new.held}
    gone = (place for place in old.held if place not in new.held)
    return tuple(place for place in gone if (place.interface, place.address) in stay)


def targets(
    ground: Ground, places: tuple[Place, ...], former: tuple[Place, ...] = ()
) -> tuple[Target, ...]:
    """Return where the places are; an address that is the host's own is not ours.

    What is held as in `former` is ours too.
    """
    known, found = ground.interfaces, []
    lengths: dict[IpAddress, set[int]] = {}
    for place in (*places, *former):
        lengths.setdefault(place.address, set()).add(place.length)
    for place in places:
        link = known.named(place.interface)
        target = None if link is None else Target(link.index, place.address, place.prefix)
        if target is not None and not known.is_own(target, lengths[place.address]):
            found.append(target)
    return tuple(found)


def forsaken(old: Instance, new: Instance) -> Vmac | None:
    """Return what bore the virtual MAC of an order, unless the next one has the same interface."""
    if old.vmac is not None and new.vmac is not None and old.vmac.name == new.vmac.name:
        return None
    return old.vmac

"""Why a virtual router cannot work on this machine as it is now."""

from libra_vrrp.interfaces import faults
from libra_vrrp.orders import Instance
from libra_vrrp.parameters import router_of, speechless
from libra_vrrp.shell.ground import Ground
from libra_vrrp.shell.sysctls import unfit


def ailments(order: Instance, ground: Ground) -> frozenset[str]:
    """Return every reason; none where the router can work. What LibrA may set is set."""
    if ground.claim.rival is not None:
        return frozenset({ground.claim.rival})
    seal = ground.seals.fault(order)
    if seal is not None:
        return frozenset({seal})
    used = {order.interface} | {place.interface for place in order.held}
    if order.vmac is not None:  # it is down while we are no master
        used -= {order.vmac.name}
    reasons = faults(ground.interfaces, order.interface, used) or _unveiled(order, ground)
    return reasons or _unfit(order) or _deaf(order, ground) or _sourceless(order, ground)


def _unveiled(order: Instance, ground: Ground) -> frozenset[str]:
    """Say so where the interface of the virtual MAC cannot be used."""
    why = ground.vmacs.fault(order, ground.interfaces)
    return frozenset() if why is None else frozenset({why})


def _unfit(order: Instance) -> frozenset[str]:
    needed = {(order.interface, order.family)}
    needed |= {(place.interface, place.address.version) for place in order.held}
    return frozenset(why for name, version in needed if (why := unfit(name, version)) is not None)


def _deaf(order: Instance, ground: Ground) -> frozenset[str]:
    """Say so where nothing would be heard: who hears no master becomes one."""
    why = ground.links.fault(order.channel)
    return frozenset() if why is None else frozenset({why})


def _sourceless(order: Instance, ground: Ground) -> frozenset[str]:
    """Say so where adverts have no address to come from (RFC 9568 section 1.5)."""
    known = ground.interfaces
    if router_of(order, (), known, ground.virtual).address.is_unspecified:
        return frozenset({speechless(order, known)})
    return frozenset()

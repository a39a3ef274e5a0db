"""Why a virtual router cannot work on this machine as it is now."""

from libra_vrrp.interfaces import faults
from libra_vrrp.orders import Instance
from libra_vrrp.parameters import router_of, speechless
from libra_vrrp.shell.ground import Ground
from libra_vrrp.shell.privileges import prepare_interface, sysctl


def ailments(order: Instance, ground: Ground) -> frozenset[str]:
    """Return every reason; none where the router can work."""
    if ground.claim.rival is not None:
        return frozenset({ground.claim.rival})
    known = ground.interfaces
    used = {order.interface} | {place.interface for place in order.places}
    reasons = faults(known, order.interface, used | set(order.tracked))
    if not reasons:
        reasons = frozenset(sysctl(name) for name in used if _is_unsafe(name, ground))
    if not reasons and router_of(order, (), known, ground.virtual).address.is_unspecified:
        reasons = frozenset({speechless(order)})
    return reasons


def _is_unsafe(name: str, ground: Ground) -> bool:
    return ground.interfaces.named(name) is not None and not prepare_interface(name)

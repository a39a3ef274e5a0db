"""The parameters of a virtual router, from its order, what is tracked and its interface.

One rule: what no advertisement could describe is refused here, before anything is done with it.
"""

from collections.abc import Collection, Iterable
from ipaddress import IPv4Address
from typing import Final

from libra_vrrp.interfaces import Interfaces
from libra_vrrp.orders import Instance
from libra_vrrp.router import Router, advertisement, effective
from libra_vrrp.rtnetlink import IpAddress

NOWHERE: Final = IPv4Address("0.0.0.0")
"""In place of the address that an interface does not have."""


def router_of(
    order: Instance, deltas: Iterable[int], known: Interfaces, virtual: Collection[IpAddress]
) -> Router:
    """Return what `order` means now; raise `ValueError` for what cannot be advertised."""
    link = known.named(order.interface)
    address = None if link is None else known.primary(link.index, virtual)
    return Router(
        vrid=order.vrid,
        priority=effective(order.priority, tuple(deltas)),
        address=address or NOWHERE,
        addresses=tuple(place.address for place in order.places),
        interval=order.interval,
        preempt=order.preempt,
        startup_delay=order.start_delay,
        checksum=order.checksum,
    )


def require_sense(orders: Iterable[Instance]) -> None:
    """Raise `ValueError` where an order could not be carried out, and say which and why."""
    for order in orders:
        try:
            advertisement(router_of(order, (), Interfaces(), ()), order.priority)
        except (ValueError, OverflowError) as wrong:
            raise ValueError(f"{order.name}: {wrong}") from wrong

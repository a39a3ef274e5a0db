"""The parameters of a virtual router, from its order, what is tracked and its interface.

One rule: what no advertisement could describe is refused here, before anything is done with it.
"""

from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from libra_vrrp.codec import IPV4, IPV6
from libra_vrrp.interfaces import Interfaces
from libra_vrrp.orders import Instance
from libra_vrrp.router import Router, advertisement, effective
from libra_vrrp.rtnetlink import IpAddress

NOWHERE: Final[dict[int, IpAddress]] = {IPV4: IPv4Address(0), IPV6: IPv6Address(0)}
"""In place of the address that we do not have, by family."""


def router_of(
    order: Instance, deltas: Iterable[int], known: Interfaces, virtual: Collection[IpAddress]
) -> Router:
    """Return what `order` means now; raise `ValueError` for what cannot be advertised."""
    return Router(
        vrid=order.vrid,
        priority=effective(order.priority, tuple(deltas)),
        address=_speaker(order, known, virtual) or NOWHERE[order.family],
        addresses=_listed(order),
        interval=order.interval,
        preempt=order.preempt,
        startup_delay=order.start_delay,
        checksum=order.checksum,
        version=order.version,
        authentication=order.authentication,
        peers=order.peers,
        joint=bool(order.group),
    )


def _listed(order: Instance) -> tuple[IpAddress, ...]:
    """Return the addresses as they are advertised: link-local ones first (RFC 9568, 5.2.9)."""
    listed = (place.address for place in order.places)
    return tuple(sorted(listed, key=lambda address: not _is_local(address)))


def _is_local(address: IpAddress) -> bool:
    return isinstance(address, IPv6Address) and address.is_link_local


def _speaker(
    order: Instance, known: Interfaces, virtual: Collection[IpAddress]
) -> IpAddress | None:
    """Return the address that it speaks from: the one its peers know, or the interface's."""
    if order.source is not None:
        is_there = any(held.usable for held in known.holders(order.source))
        return order.source if is_there else None
    link = known.named(order.interface)
    if link is None:
        return None
    own = known.primary if order.family == IPV4 else known.link_local
    return own(link.index, virtual)


def require_sense(orders: Iterable[Instance]) -> None:
    """Raise `ValueError` where an order could not be carried out, and say which and why."""
    for order in orders:
        try:
            advertisement(router_of(order, (), Interfaces(), ()), order.priority)
        except (ValueError, OverflowError) as wrong:
            raise ValueError(f"{order.name}: {wrong}") from wrong


def speechless(order: Instance, known: Interfaces) -> str:
    """Say what is missing to a router that has no address to speak from."""
    if order.source is not None:
        if known.holders(order.source):
            return f"{order.source} is under duplicate address detection, or is a duplicate"
        return f"no interface has {order.source}, by which the peers know this node"
    if order.family == IPV4:
        return f"interface {order.interface} has no IPv4 address"
    link = known.named(order.interface)
    if link is not None and known.is_awaiting_link_local(link.index):
        why = "is under duplicate address detection, or is a duplicate"
        return f"the link-local address of interface {order.interface} {why}"
    return f"interface {order.interface} has no IPv6 link-local address"

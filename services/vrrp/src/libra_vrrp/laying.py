"""What a master has the kernel hold beside its addresses: routes and rules.

Design §6. One rule: the same order and interfaces always give the same entries, routes first, so
that a later one may lead through an earlier one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_network
from typing import Final

from libra_vrrp import routing
from libra_vrrp.interfaces import Interfaces
from libra_vrrp.orders import Instance
from libra_vrrp.routing import Entry, Route

BEHIND: Final = 1024
"""Metric beyond which the routes of connected IPv6 addresses lie: the host's own have 256."""


@dataclass(frozen=True, slots=True)
class Laying:
    """The entries of an order, and why others of its routes cannot even be asked for."""

    entries: tuple[Entry, ...] = ()
    lacking: tuple[str, ...] = ()


def laying(order: Instance, known: Interfaces) -> Laying:
    """Return what an order comes to on the interfaces as they are now."""
    entries, lacking = [], []
    for one in (*_connected(order), *order.routes):
        link = None if one.device is None else known.named(one.device)
        if link is None and one.device is not None:
            lacking.append(f"interface {one.device} does not exist")
        else:
            entries.append(routing.route(one, 0 if link is None else link.index))
    entries += map(routing.rule, order.rules)
    return Laying(tuple(dict.fromkeys(entries)), tuple(dict.fromkeys(lacking)))


def _connected(order: Instance) -> Iterator[Route]:
    """Yield the routes that the kernel is not to make for connected IPv6 addresses.

    It would take the host's own for ours. With the vrid in it no two instances share one.
    """
    for place in order.held:
        if isinstance(place.address, IPv6Address) and place.prefix is not None:
            network = ip_network((place.address, place.prefix), strict=False)
            yield Route(network, place.interface, metric=BEHIND + order.vrid)

"""Who is tied to whom: our own end and those of the other nodes.

One rule: of two nodes the one with the lower address connects first, so that there is one
connection.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from libra_vrrp.rtnetlink import IpAddress


@dataclass(frozen=True, slots=True)
class Ends:
    """Our address, the TCP port of every node, and the address of each other node by its name."""

    own: IpAddress
    port: int
    peers: tuple[tuple[str, IpAddress], ...]


def merged(ends: Iterable[Ends | None]) -> Ends | None:
    """Return what all routers of this node want together; None where none wants a tether."""
    found = [one for one in ends if one is not None and one.peers]
    if not found:
        return None
    peers = {name: address for one in found for name, address in one.peers}
    return Ends(found[0].own, found[0].port, tuple(sorted(peers.items())))


def connects_first(own: IpAddress, other: IpAddress) -> bool:
    """Say whether it is for us to connect; addresses of two families are no pair."""
    return (own.version, own.packed) < (other.version, other.packed)

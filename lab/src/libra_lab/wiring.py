"""How directors and real servers are wired for each of IPVS's forwarding methods."""

from collections.abc import Iterable, Mapping

from libra_lab.node import Node
from libra_lab.topology import Topology

TUNNEL = "ipvs"
QUIET_ARP = {"net.ipv4.conf.all.arp_ignore": 1, "net.ipv4.conf.all.arp_announce": 2}
FORWARDING = {
    "net.ipv4.ip_forward": 1,
    "net.ipv6.conf.all.forwarding": 1,
    "net.ipv4.conf.all.send_redirects": 0,
    "net.ipv4.conf.default.send_redirects": 0,
}

Interfaces = Mapping[str, tuple[str, str | tuple[str, ...]]]


def host_route(address: str) -> str:
    """Return `address` with the prefix length of a single host."""
    return f"{address}/128" if ":" in address else f"{address}/32"


def director(
    topology: Topology, name: str, interfaces: Interfaces, *, gateway: str | None = None
) -> Node:
    """Make a machine that forwards: IPVS, and routing for what NAT sends back."""
    return topology.node(name, interfaces, gateway=gateway, sysctls=FORWARDING)


def nat_server(topology: Topology, name: str, network: str, address: str, gateway: str) -> Node:
    """Make a real server whose answers go back through the director at `gateway`."""
    return topology.node(name, {"eth0": (network, address)}, gateway=gateway)


def dr_server(
    topology: Topology,
    name: str,
    network: str,
    address: str,
    virtual: Iterable[str],
    *,
    gateway: str | None = None,
) -> Node:
    """Make a real server that holds the virtual addresses on `lo` and keeps silent about them."""
    node = topology.node(name, {"eth0": (network, address)}, gateway=gateway, sysctls=QUIET_ARP)
    node.ip(*(f"addr add {host_route(vip)} dev lo" for vip in virtual))
    return node


def tunnel_server(
    topology: Topology,
    name: str,
    network: str,
    address: str,
    virtual: Iterable[str],
    *,
    gateway: str | None = None,
) -> Node:
    """Make a real server that takes IP-in-IP packets and holds the virtual addresses behind them.

    Its reverse path filter is off: the inner packets' sources are reached by another interface.
    """
    node = topology.node(name, {"eth0": (network, address)}, gateway=gateway, sysctls=QUIET_ARP)
    local = address.partition("/")[0]
    node.ip(
        f"link add {TUNNEL} type ipip local {local} remote any",
        f"link set {TUNNEL} up",
        *(f"addr add {host_route(vip)} dev {TUNNEL}" for vip in virtual),
    )
    node.sysctl({f"net.ipv4.conf.{name}.rp_filter": 0 for name in ("all", "eth0", TUNNEL)})
    return node

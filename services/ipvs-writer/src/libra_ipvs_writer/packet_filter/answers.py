"""What real servers answer by NAT: where it comes from and in, where it may leave.

Rule: the source is the real server's address still (IPVS puts the virtual one in its place behind
the filter), the interface is the one of the route to it; clients may be anywhere.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from libra_ipvs_writer.header import PROTOCOL_NUMBERS
from libra_ipvs_writer.packet_filter.fate import Answer, Answers
from libra_ipvs_writer.packet_filter.rules import Family, Tracking
from libra_schemas.config import Config, ServiceConfig

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

TRACKED = Tracking.INVALID | Tracking.NEW | Tracking.UNTRACKED
"""Without `net.ipv4.vs.conntrack` IPVS hides requests from connection tracking: a SYN-ACK that
answers none is INVALID, what comes later is NEW, nothing is ESTABLISHED (tried on Linux 6.1)."""
TRACKED_TOO = TRACKED | Tracking.ESTABLISHED | Tracking.RELATED


@dataclass(frozen=True, slots=True)
class Server:
    """A real server behind NAT; *protocol* None = that of whatever the mark says."""

    address: IPAddress
    protocol: int | None


@dataclass(frozen=True, slots=True)
class Path:
    """The route to a real server: *interface* None = one of several; *network* what it covers."""

    interface: str | None
    network: IPNetwork


def servers(config: Config) -> tuple[Server, ...]:
    """List the real servers behind NAT, sorry servers too, each once."""
    found = {each for service in config.services.values() for each in _behind_nat(service)}
    return tuple(sorted(found, key=lambda each: (each.address.version, int(each.address))))


def _behind_nat(service: ServiceConfig) -> Iterator[Server]:
    protocol = PROTOCOL_NUMBERS[service.protocol] if service.fwmark is None else None
    for backend in service.backends.values():
        if service.forward_of(backend) == "nat":
            yield Server(backend.address.address, protocol)
    sorry = service.sorry
    if sorry is not None and (sorry.forward or service.forward) == "nat":
        yield Server(sorry.address.address, protocol)


def answers(
    servers: Iterable[Server],
    paths: Mapping[IPAddress, Path],
    outbound: frozenset[str],
    *,
    tracked: bool,
) -> Answers:
    """Say what the filter sees; *tracked*: `net.ipv4.vs.conntrack` is on."""
    each = (
        Answer(int(server.address), paths[server.address].interface, server.protocol)
        for server in servers
    )
    return Answers(tuple(each), outbound, TRACKED_TOO if tracked else TRACKED)


def of_family(servers: Iterable[Server], family: Family) -> tuple[Server, ...]:
    """Take those of one address family."""
    return tuple(each for each in servers if each.address.version == family)

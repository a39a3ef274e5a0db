"""Asks the kernel for the ways to real servers and to clients (linux/rtnetlink.h)."""

import re
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from struct import Struct

from libra_ipvs_writer.netlink import attribute, attributes, name, u32
from libra_ipvs_writer.packet_filter.answers import IPAddress, Path
from libra_ipvs_writer.shell.inquiry import Inquiry

GET_LINK, GET_ROUTE = 18, 26
LINK = Struct("=BxHiII")
LINK_NAME, LINK_MASTER, LINK_INFO, INFO_KIND = 3, 10, 18, 1
ROUTE = Struct("=BBBBBBBBI")
ROUTE_DESTINATION, ROUTE_OUT = 1, 4
WHOLE_ROUTE = 0x2000
"""RTM_F_FIB_MATCH: answer with the route that matched, its prefix included (Linux >= 4.13)."""
UNICAST = 1
FAMILIES = {4: (socket.AF_INET, 32), 6: (socket.AF_INET6, 128)}
ENGINES = re.compile(
    r"docker\d+|docker_gwbridge|br-[0-9a-f]{12}|(cni-)?podman\d+|cni\d+|(vir|lxc|lxd|incus)br\d+"
)
"""The bridges of docker, podman, CNI, libvirt, LXC, LXD and Incus."""


@dataclass(frozen=True, slots=True)
class Link:
    """An interface; *master* is the index of what it belongs to, 0 = nothing."""

    name: str
    bridge: bool
    master: int


def links(inquiry: Inquiry) -> dict[int, Link]:
    """List the interfaces by index."""
    return dict(map(_link, inquiry.dump(GET_LINK, LINK.pack(0, 0, 0, 0, 0))))


def _link(payload: bytes) -> tuple[int, Link]:
    found = attributes(payload[LINK.size :])
    info = attributes(found.get(LINK_INFO, b""))
    bridge = INFO_KIND in info and name(info, INFO_KIND) == "bridge"
    master = u32(found, LINK_MASTER) if LINK_MASTER in found else 0
    return LINK.unpack_from(payload)[2], Link(name(found, LINK_NAME), bridge, master)


def paths(
    inquiry: Inquiry, addresses: Sequence[IPAddress], known: Mapping[int, Link]
) -> dict[IPAddress, Path]:
    """Look up the routes to *addresses*; what is on this machine or nowhere is left out."""
    asked = [_question(each) for each in addresses]
    found = zip(addresses, inquiry.each(GET_ROUTE, asked), strict=True)
    ways = ((each, _path(each, answer, known)) for each, answer in found if answer)
    return {address: way for address, way in ways if way is not None}


def _question(address: IPAddress) -> bytes:
    family, bits = FAMILIES[address.version]
    head = ROUTE.pack(family, bits, 0, 0, 0, 0, 0, 0, WHOLE_ROUTE)
    return head + attribute(ROUTE_DESTINATION, address.packed)


def _path(address: IPAddress, answer: bytes | int, known: Mapping[int, Link]) -> Path | None:
    if isinstance(answer, int):
        return None
    found = ROUTE.unpack_from(answer)
    length, kind = found[1], found[7]
    if kind != UNICAST:
        return None
    out = attributes(answer[ROUTE.size :])
    link = known.get(u32(out, ROUTE_OUT)) if ROUTE_OUT in out else None
    return Path(link.name if link else None, ip_network((address, length), strict=False))


def outbound(known: Mapping[int, Link], own: Iterable[str]) -> frozenset[str]:
    """List where clients may be: *own* (the virtual addresses') and every other interface.

    But for the bridges that engines make for containers and machines, and what is plugged into
    bridges: no client is there.
    """
    bridges = {index for index, link in known.items() if link.bridge}
    plain = {
        link.name
        for link in known.values()
        if link.master not in bridges
        and link.name != "lo"
        and not (link.bridge and ENGINES.fullmatch(link.name))
    }
    return frozenset({*own, *plain})

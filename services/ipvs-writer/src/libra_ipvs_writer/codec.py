"""IPVS generic netlink messages <-> bytes (linux/ip_vs.h, `IPVS_CMD_*`, `IPVS_SVC_ATTR_*`).

Rule: what is encoded says the whole service or destination; what is decoded is only what the
kernel said, and anything else raises MalformedMessage.
"""

from collections.abc import Sequence
from functools import lru_cache
from struct import Struct
from typing import Literal, TypeVar, assert_never

from libra_ipvs_writer import header as h
from libra_ipvs_writer.netlink import (
    ATTRIBUTE,
    NLA_F_NESTED,
    U16,
    U32,
    MalformedMessage,
    attribute,
    generic,
    inside,
    name,
    nested,
    sized,
    u16,
    u32,
)
from libra_schemas.operations import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Operation,
    SetDestination,
    SetService,
)
from libra_schemas.table import (
    CHECKSUMS,
    FORWARDS,
    TUNNEL_TYPES,
    Destination,
    Service,
    ServiceKey,
    Tunnel,
    packed,
    unpacked,
)

NET16, FLAGS = Struct("!H"), Struct("=II")
DESTINATION = Struct("=HHHxxHH16sHH2sxxHHIHHIHHBxxxHH2sxxHHHxxHHIHHI")
UNSET = Tunnel()
FORWARD_NUMBERS = {name: number for number, name in enumerate(FORWARDS)}
TUNNEL_NUMBERS = {name: number for number, name in enumerate(TUNNEL_TYPES)}
CHECKSUM_NUMBERS = {name: number for number, name in enumerate(CHECKSUMS)}
AF_INET, AF_INET6 = h.AF[4], h.AF[6]
IPV6 = 6
IPV4_SIZE = 4
SIZES = {4: IPV4_SIZE, IPV6: 16}

Word = TypeVar("Word", bound=str)


@lru_cache(maxsize=4096)
def encode_key(key: ServiceKey) -> bytes:
    """Encode the attributes that name a service."""
    family = attribute(h.SVC_AF, U16.pack(h.AF[key.family]))
    if key.protocol == "fwmark":
        return family + attribute(h.SVC_FWMARK, U32.pack(key.fwmark))
    return b"".join(
        (
            family,
            attribute(h.SVC_PROTOCOL, U16.pack(h.PROTOCOL_NUMBERS[key.protocol])),
            attribute(h.SVC_ADDR, packed(key.address).ljust(16, b"\0")),
            attribute(h.SVC_PORT, NET16.pack(key.port)),
        )
    )


def encode_service(service: Service) -> bytes:
    """Encode a service's key and every attribute that NEW_SERVICE and SET_SERVICE need."""
    flags = sum(h.SCHEDULER_FLAGS[flag] for flag in service.flags)
    flags |= (h.F_PERSISTENT if service.persistence else 0) | (h.F_ONE_PACKET * service.one_packet)
    engine = attribute(h.SVC_PE, service.engine.encode() + b"\0") if service.engine else b""
    return b"".join(
        (
            encode_key(service.key),
            attribute(h.SVC_SCHED, service.scheduler.encode() + b"\0"),
            engine,
            attribute(h.SVC_FLAGS, FLAGS.pack(flags, 0xFFFFFFFF)),
            attribute(h.SVC_TIMEOUT, U32.pack(service.persistence)),
            attribute(h.SVC_NETMASK, _netmask(service)),
        )
    )


def _netmask(service: Service) -> bytes:
    family = service.key.family
    prefix = service.prefix or h.FULL_PREFIX[family]
    if family == IPV6:
        return U32.pack(prefix)
    return ((0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF).to_bytes(4, "big")


def encode_destination(destination: Destination) -> bytes:
    """Encode every attribute of a destination, laid out as ipvsadm does."""
    tunnel = destination.tunnel or UNSET
    octets = packed(destination.address)
    # fmt: off
    return DESTINATION.pack(
        6, h.DEST_FAMILY, AF_INET if len(octets) == IPV4_SIZE else AF_INET6,
        20, h.DEST_ADDR, octets,
        6, h.DEST_PORT, NET16.pack(destination.port),
        8, h.DEST_FWD, FORWARD_NUMBERS[destination.forward],
        8, h.DEST_WEIGHT, destination.weight,
        5, h.DEST_TUN_TYPE, TUNNEL_NUMBERS[tunnel.type],
        6, h.DEST_TUN_PORT, NET16.pack(tunnel.port),
        6, h.DEST_TUN_FLAGS, CHECKSUM_NUMBERS[tunnel.checksum],
        8, h.DEST_UPPER, destination.upper,
        8, h.DEST_LOWER, destination.lower,
    )
    # fmt: on


def encode(operation: Operation) -> bytes:
    """Encode an operation as a generic netlink payload."""
    match operation:
        case AddService() | SetService():
            service = nested(h.CMD_ATTR_SERVICE, encode_service(operation.service))
            return generic(h.COMMANDS[operation.op], h.VERSION, service)
        case DeleteService():
            service = nested(h.CMD_ATTR_SERVICE, encode_key(operation.key))
            return generic(h.DEL_SERVICE, h.VERSION, service)
        case AddDestination() | SetDestination():
            start = _start(h.COMMANDS[operation.op], operation.key)
            return start + encode_destination(operation.destination)
        case DeleteDestination():
            gone = Destination(operation.address, operation.port)
            return _start(h.DEL_DEST, operation.key) + encode_destination(gone)
        case _:
            assert_never(operation)


@lru_cache(maxsize=4096)
def _start(command: int, key: ServiceKey) -> bytes:
    """Encode all that comes before a destination's attributes."""
    service = nested(h.CMD_ATTR_SERVICE, encode_key(key))
    header = ATTRIBUTE.pack(ATTRIBUTE.size + DESTINATION.size, h.CMD_ATTR_DEST | NLA_F_NESTED)
    return generic(command, h.VERSION, service) + header


def list_services() -> bytes:
    """Ask for every service (a dump)."""
    return generic(h.GET_SERVICE, h.VERSION)


def list_destinations(key: ServiceKey) -> bytes:
    """Ask for every destination of a service (a dump)."""
    return generic(h.GET_DEST, h.VERSION, nested(h.CMD_ATTR_SERVICE, encode_key(key)))


def decode_service(payload: bytes) -> Service:
    """Read a service out of an answer to `list_services`."""
    found = inside(payload, h.CMD_ATTR_SERVICE)
    flags = FLAGS.unpack(sized(found, h.SVC_FLAGS, FLAGS.size))[0]
    key = _key(found)
    persistent = flags & h.F_PERSISTENT
    return Service(
        key=key,
        scheduler=name(found, h.SVC_SCHED),
        flags=tuple(flag for flag, bit in h.SCHEDULER_FLAGS.items() if flags & bit),
        persistence=u32(found, h.SVC_TIMEOUT) if persistent else 0,
        prefix=_prefix(key.family, sized(found, h.SVC_NETMASK, 4)) if persistent else 0,
        engine=name(found, h.SVC_PE) if h.SVC_PE in found else "",
        one_packet=bool(flags & h.F_ONE_PACKET),
    )


def decode_destination(payload: bytes) -> Destination:
    """Read a destination out of an answer to `list_destinations` (Linux >= 3.18)."""
    found = inside(payload, h.CMD_ATTR_DEST)
    forward = _pick(FORWARDS, u32(found, h.DEST_FWD) & h.FORWARD_MASK, "forwarding method")
    return Destination(
        address=_address(u16(found, h.DEST_FAMILY), found, h.DEST_ADDR),
        port=NET16.unpack(sized(found, h.DEST_PORT, 2))[0],
        forward=forward,
        weight=u32(found, h.DEST_WEIGHT),
        upper=u32(found, h.DEST_UPPER),
        lower=u32(found, h.DEST_LOWER),
        tunnel=_tunnel(found) if forward == "tun" else None,
    )


def _pick(words: Sequence[Word], index: int, what: str) -> Word:
    if index >= len(words):
        raise MalformedMessage(f"{what} {index} is unknown")
    return words[index]


def _family(number: int) -> Literal[4, 6]:
    if number not in (AF_INET, AF_INET6):
        raise MalformedMessage(f"address family {number} is neither IPv4 nor IPv6")
    return 4 if number == AF_INET else 6


def _address(family: int, found: dict[int, bytes], kind: int) -> str:
    return unpacked(sized(found, kind, SIZES[_family(family)]))


def _key(found: dict[int, bytes]) -> ServiceKey:
    family = u16(found, h.SVC_AF)
    if h.SVC_FWMARK in found:
        return ServiceKey.marked(u32(found, h.SVC_FWMARK), _family(family))
    protocol = h.PROTOCOL_NAMES.get(u16(found, h.SVC_PROTOCOL))
    if protocol is None:
        raise MalformedMessage("the protocol is none of TCP, UDP, SCTP")
    port = NET16.unpack(sized(found, h.SVC_PORT, 2))[0]
    return ServiceKey(protocol, _address(family, found, h.SVC_ADDR), port, 0, _family(family))


def _prefix(family: int, netmask: bytes) -> int:
    bits = U32.unpack(netmask)[0] if family == IPV6 else int.from_bytes(netmask).bit_count()
    return 0 if bits == h.FULL_PREFIX[family] else int(bits)


def _tunnel(found: dict[int, bytes]) -> Tunnel:
    if h.DEST_TUN_TYPE not in found:
        return UNSET
    return Tunnel(
        type=_pick(TUNNEL_TYPES, sized(found, h.DEST_TUN_TYPE, 1)[0], "tunnel type"),
        port=NET16.unpack(sized(found, h.DEST_TUN_PORT, 2))[0],
        checksum=_pick(CHECKSUMS, u16(found, h.DEST_TUN_FLAGS), "tunnel flags"),
    )

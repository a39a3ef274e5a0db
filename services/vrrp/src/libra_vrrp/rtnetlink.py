"""The part of rtnetlink that addresses need <-> bytes (linux/rtnetlink.h, if_addr.h, if_link.h).

One rule: what the kernel says is returned as values, in its order; unknown messages are skipped.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, TypeAlias

IpAddress: TypeAlias = IPv4Address | IPv6Address

FOREVER: Final = 0xFFFFFFFF
GROUP_LINK: Final = 0x1
GROUP_IPV4_ADDRESS: Final = 0x10
GROUP_IPV6_ADDRESS: Final = 0x100
AF_UNSPEC: Final = 0
AF_INET: Final = 2
AF_INET6: Final = 10

_HEADER: Final = struct.Struct("=IHHII")
_ADDRESS: Final = struct.Struct("=BBBBI")
_LINK: Final = struct.Struct("=BxHiII")
_ATTRIBUTE: Final = struct.Struct("=HH")
_CACHE_INFO: Final = struct.Struct("=IIII")
_ERROR: Final = struct.Struct("=i")

_REQUEST, _ACK, _REPLACE, _CREATE, _DUMP = 0x1, 0x4, 0x100, 0x400, 0x300
_IFA_ADDRESS, _IFA_LOCAL, _IFA_CACHE_INFO, _IFA_FLAGS = 1, 2, 6, 8
_IFLA_ADDRESS, _IFLA_NAME = 1, 3
_F_SECONDARY, _F_NODAD, _F_DAD_FAILED, _F_TENTATIVE, _F_NO_PREFIX_ROUTE = 1, 2, 8, 0x40, 0x200
_UP, _LOWER_UP = 0x1, 0x10000
_FAMILY_OF = {4: AF_INET, 6: AF_INET6}


class _Kind(IntEnum):
    """Message types (linux/netlink.h, linux/rtnetlink.h)."""

    ERROR = 2
    DONE = 3
    NEW_LINK = 16
    DEL_LINK = 17
    GET_LINK = 18
    NEW_ADDRESS = 20
    DEL_ADDRESS = 21
    GET_ADDRESS = 22


@dataclass(frozen=True, slots=True)
class AddressHeld:
    """An interface has this address; `valid` is what is left of its life in seconds, or None.

    An IPv6 address is not `usable` while duplicate address detection is under way, nor where it
    has found a duplicate (RFC 4862 section 5.4).
    """

    index: int
    address: IpAddress
    prefix: int
    valid: int | None = None
    secondary: bool = False
    usable: bool = True


@dataclass(frozen=True, slots=True)
class AddressGone:
    """An interface lost this address."""

    index: int
    address: IpAddress
    prefix: int


@dataclass(frozen=True, slots=True)
class LinkHeld:
    """An interface exists; `up` means administratively up and with a carrier."""

    index: int
    name: str
    up: bool
    mac: bytes


@dataclass(frozen=True, slots=True)
class LinkGone:
    """An interface was removed."""

    index: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The kernel is done with request `sequence`; `errno` 0 means it was carried out."""

    sequence: int
    errno: int


Said: TypeAlias = AddressHeld | AddressGone | LinkHeld | LinkGone | Answered


def add_address(sequence: int, index: int, address: IpAddress, lifetime: int) -> bytes:
    """Return the request to add `address`/32 (or /128), or to renew its life of `lifetime` seconds.

    No route is made for it. An IPv6 address is held back by no duplicate address detection and is
    deprecated from the start, so that it is the source of none of the host's own traffic (RFC 6724
    section 5, rule 3). The kernel finds it by the address alone: a renewal would give its lifetime
    to one of the host's own that has another prefix length (inet6_rtm_newaddr, net/ipv6/addrconf.c;
    seen on 6.18), so the caller must not ask for one of these.
    """
    is_six = isinstance(address, IPv6Address)
    flags = _F_NO_PREFIX_ROUTE | (_F_NODAD if is_six else 0)
    preferred = 0 if is_six else lifetime
    body = _address_body(index, address)
    body += _attribute(_IFA_FLAGS, struct.pack("=I", flags))
    body += _attribute(_IFA_CACHE_INFO, _CACHE_INFO.pack(preferred, lifetime, 0, 0))
    return _message(_Kind.NEW_ADDRESS, _REQUEST | _ACK | _CREATE | _REPLACE, sequence, body)


def delete_address(sequence: int, index: int, address: IpAddress) -> bytes:
    """Return the request to remove `address`/32 (or /128) from the interface."""
    return _message(_Kind.DEL_ADDRESS, _REQUEST | _ACK, sequence, _address_body(index, address))


def list_links(sequence: int) -> bytes:
    """Return the request for every interface."""
    return _message(_Kind.GET_LINK, _REQUEST | _DUMP, sequence, _LINK.pack(0, 0, 0, 0, 0))


def list_addresses(sequence: int, family: int = AF_INET) -> bytes:
    """Return the request for every address of a family."""
    return _message(
        _Kind.GET_ADDRESS, _REQUEST | _DUMP, sequence, _ADDRESS.pack(family, 0, 0, 0, 0)
    )


def decode(datagram: bytes) -> Iterator[Said]:
    """Yield what the kernel says in one datagram; raise `ValueError` if it is cut short."""
    at = 0
    while at + _HEADER.size <= len(datagram):
        length, kind, _, sequence, _ = _HEADER.unpack_from(datagram, at)
        if not _HEADER.size <= length <= len(datagram) - at:
            raise ValueError(f"netlink message of {length} octets in {len(datagram) - at}")
        said = _said(kind, sequence, datagram[at + _HEADER.size : at + length])
        if said is not None:
            yield said
        at += _padded(length)


def _said(kind: int, sequence: int, body: bytes) -> Said | None:
    match kind:
        case _Kind.NEW_ADDRESS:
            return _address_held(body)
        case _Kind.DEL_ADDRESS:
            gone = _address_held(body)
            return AddressGone(gone.index, gone.address, gone.prefix)
        case _Kind.NEW_LINK if _is_of_link(body):
            return _link_held(body)
        case _Kind.DEL_LINK if _is_of_link(body):
            return LinkGone(_LINK.unpack_from(body)[2])
        case _Kind.ERROR | _Kind.DONE:
            errno = -_ERROR.unpack_from(body)[0] if len(body) >= _ERROR.size else 0
            return Answered(sequence, errno)
        case _:
            return None


def _is_of_link(body: bytes) -> bool:
    """Say whether it is about the interface itself, not about its part in a bridge or the like.

    Who leaves a bridge is told by a DEL_LINK of family AF_BRIDGE (br_info_notify, net/bridge).
    """
    family: int = _LINK.unpack_from(body)[0]
    return family == AF_UNSPEC


def _address_held(body: bytes) -> AddressHeld:
    _, prefix, flags, _, index = _ADDRESS.unpack_from(body)
    attributes = dict(_attributes(body[_ADDRESS.size :]))
    packed = attributes.get(_IFA_LOCAL) or attributes[_IFA_ADDRESS]
    valid = FOREVER
    if _IFA_CACHE_INFO in attributes:
        valid = _CACHE_INFO.unpack_from(attributes[_IFA_CACHE_INFO])[1]
    return AddressHeld(
        index,
        ip_address(packed),
        prefix,
        None if valid == FOREVER else valid,
        bool(flags & _F_SECONDARY),
        not flags & (_F_TENTATIVE | _F_DAD_FAILED),
    )


def _link_held(body: bytes) -> LinkHeld:
    _, _, index, flags, _ = _LINK.unpack_from(body)
    attributes = dict(_attributes(body[_LINK.size :]))
    name = attributes.get(_IFLA_NAME, b"").rstrip(b"\0").decode(errors="replace")
    up = flags & (_UP | _LOWER_UP) == _UP | _LOWER_UP
    return LinkHeld(index, name, up, attributes.get(_IFLA_ADDRESS, b""))


def _address_body(index: int, address: IpAddress) -> bytes:
    family = _FAMILY_OF[address.version]
    body = _ADDRESS.pack(family, address.max_prefixlen, 0, 0, index)
    return body + _attribute(_IFA_LOCAL, address.packed) + _attribute(_IFA_ADDRESS, address.packed)


def _message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, sequence, 0) + body


def _attribute(kind: int, value: bytes) -> bytes:
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + bytes(_padded(length) - length)


def _attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        if not _ATTRIBUTE.size <= length <= len(body) - at:
            raise ValueError(f"netlink attribute of {length} octets in {len(body) - at}")
        yield kind, body[at + _ATTRIBUTE.size : at + length]
        at += _padded(length)


def _padded(length: int) -> int:
    return (length + 3) & ~3

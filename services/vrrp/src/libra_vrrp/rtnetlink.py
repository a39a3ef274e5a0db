"""The part of rtnetlink that addresses need <-> bytes (linux/rtnetlink.h, if_addr.h, if_link.h).

One rule: what the kernel says is returned as values, in its order; unknown messages are skipped.
"""

import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, TypeAlias

from libra_vrrp.netlink import (
    ACK,
    CREATE,
    DUMP,
    EXCLUSIVE,
    REPLACE,
    REQUEST,
    Message,
    attribute,
    attributes,
    explanation,
    message,
    messages,
)

IpAddress: TypeAlias = IPv4Address | IPv6Address

FOREVER: Final = 0xFFFFFFFF
GROUP_LINK: Final = 0x1
GROUP_IPV4_ADDRESS: Final = 0x10
GROUP_IPV6_ADDRESS: Final = 0x100
AF_UNSPEC: Final = 0
AF_INET: Final = 2
AF_INET6: Final = 10

_ADDRESS: Final = struct.Struct("=BBBBI")
_LINK: Final = struct.Struct("=BxHiII")
_CACHE_INFO: Final = struct.Struct("=IIII")
_ERROR: Final = struct.Struct("=i")

_IFA_ADDRESS, _IFA_LOCAL, _IFA_CACHE_INFO, _IFA_FLAGS = 1, 2, 6, 8
_IFLA_ADDRESS, _IFLA_NAME, _IFLA_LINK, _IFLA_INFO, _IFLA_GROUP = 1, 3, 5, 18, 27
_INFO_KIND: Final = 1
_F_SECONDARY, _F_NODAD, _F_DAD_FAILED, _F_TENTATIVE, _F_NO_PREFIX_ROUTE = 1, 2, 8, 0x40, 0x200
_UP, _LOWER_UP = 0x1, 0x10000
FAMILY_OF = {4: AF_INET, 6: AF_INET6}


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
class Target:
    """An address on the interface of this index, /32 or /128 where it has no `prefix`."""

    index: int
    address: IpAddress
    prefix: int | None = None

    @property
    def length(self) -> int:
        """Return the prefix length with which the kernel holds it."""
        return self.address.max_prefixlen if self.prefix is None else self.prefix


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
    """An interface exists; `up` means administratively up and with a carrier.

    `parent` is the index of the interface below where it is a macvlan.
    """

    index: int
    name: str
    up: bool
    mac: bytes
    parent: int | None = None
    group: int = 0


@dataclass(frozen=True, slots=True)
class LinkGone:
    """An interface was removed."""

    index: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The kernel is done with request `sequence`; `errno` 0 means it was carried out.

    Where it refused, it may say why in words.
    """

    sequence: int
    errno: int
    why: str = ""


Said: TypeAlias = AddressHeld | AddressGone | LinkHeld | LinkGone | Answered


def add_address(sequence: int, target: Target, lifetime: int, *, is_new: bool = False) -> bytes:
    """Return the request to add an address or, unless `is_new`, renew it, for `lifetime` seconds.

    With a prefix the kernel makes the connected route of an IPv4 address. It is to make none for
    IPv6: where the host has learned that network from a router, every renewal would give our
    lifetime to the route of the host (fib6_add_rt2node, net/ipv6/ip6_fib.c).

    An IPv6 address is held back by no duplicate address detection and is deprecated from the start,
    so that it is the source of none of the host's own traffic (RFC 6724 section 5, rule 3). The
    kernel finds it by the address alone: a renewal would give its lifetime to one of the host's own
    that has another prefix length (inet6_rtm_newaddr; seen on 6.18): the caller must not ask so.
    """
    is_six = isinstance(target.address, IPv6Address)
    flags = _F_NO_PREFIX_ROUTE if is_six or target.prefix is None else 0
    flags |= _F_NODAD if is_six else 0
    preferred = 0 if is_six else lifetime
    body = _address_body(target)
    body += attribute(_IFA_FLAGS, struct.pack("=I", flags))
    body += attribute(_IFA_CACHE_INFO, _CACHE_INFO.pack(preferred, lifetime, 0, 0))
    how = EXCLUSIVE if is_new else REPLACE
    return message(_Kind.NEW_ADDRESS, REQUEST | ACK | CREATE | how, sequence, body)


def delete_address(sequence: int, target: Target) -> bytes:
    """Return the request to remove an address."""
    return message(_Kind.DEL_ADDRESS, REQUEST | ACK, sequence, _address_body(target))


def list_links(sequence: int) -> bytes:
    """Return the request for every interface."""
    return message(_Kind.GET_LINK, REQUEST | DUMP, sequence, _LINK.pack(0, 0, 0, 0, 0))


def list_addresses(sequence: int, family: int = AF_INET) -> bytes:
    """Return the request for every address of a family."""
    return message(_Kind.GET_ADDRESS, REQUEST | DUMP, sequence, _ADDRESS.pack(family, 0, 0, 0, 0))


def decode(datagram: bytes) -> Iterator[Said]:
    """Yield what the kernel says in one datagram; raise `ValueError` if it is cut short."""
    for one in messages(datagram):
        said = _said(one)
        if said is not None:
            yield said


def _said(one: Message) -> Said | None:
    body = one.body
    match one.kind:
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
            return Answered(one.sequence, errno, explanation(one))
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
    told = dict(attributes(body[_ADDRESS.size :]))
    packed = told.get(_IFA_LOCAL) or told[_IFA_ADDRESS]
    valid = FOREVER
    if _IFA_CACHE_INFO in told:
        valid = _CACHE_INFO.unpack_from(told[_IFA_CACHE_INFO])[1]
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
    told = dict(attributes(body[_LINK.size :]))
    name = told.get(_IFLA_NAME, b"").rstrip(b"\0").decode(errors="replace")
    up = flags & (_UP | _LOWER_UP) == _UP | _LOWER_UP
    mac, group = told.get(_IFLA_ADDRESS, b""), _number(told.get(_IFLA_GROUP))
    is_macvlan = dict(attributes(told.get(_IFLA_INFO, b""))).get(_INFO_KIND) == b"macvlan\0"
    parent = _number(told.get(_IFLA_LINK)) if is_macvlan else None
    return LinkHeld(index, name, up, mac, parent, group)


def _number(value: bytes | None) -> int:
    return 0 if value is None else int.from_bytes(value, sys.byteorder)


def _address_body(target: Target) -> bytes:
    packed, family = target.address.packed, FAMILY_OF[target.address.version]
    body = _ADDRESS.pack(family, target.length, 0, 0, target.index)
    return body + attribute(_IFA_LOCAL, packed) + attribute(_IFA_ADDRESS, packed)

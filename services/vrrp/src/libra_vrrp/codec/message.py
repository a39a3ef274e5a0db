"""Advertisements <-> bytes: VRRPv2 (RFC 3768 section 5) and VRRPv3 (RFC 5798 and 9568 section 5).

One rule: any bytes either decode or raise `MalformedAdvertisement` with a reason that can be
counted. What is right for the wire and wrong for a router of ours is `admission`'s matter.
"""

import struct
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from libra_vrrp.checksum import internet_checksum
from libra_vrrp.codec.advertisement import (
    HOPS,
    IPV4,
    LONGEST,
    PASSWORD,
    SECOND,
    V2,
    V3,
    Advertisement,
    Checksum,
)
from libra_vrrp.codec.malformed import MalformedAdvertisement, Reason
from libra_vrrp.codec.packet import Datagram
from libra_vrrp.codec.pseudo_header import pseudo_header
from libra_vrrp.rtnetlink import IpAddress

NO_AUTHENTICATION: Final = 0
SIMPLE_PASSWORD: Final = 1
"""Authentication type of RFC 2338 section 5.3.6, which keepalived calls PASS."""

_TYPE: Final = 1
_V2: Final = struct.Struct("!BBBBBBH")
_V3: Final = struct.Struct("!BBBBHH")
_HEADER: Final = 8
_SUM: Final = slice(6, 8)


@dataclass(frozen=True, slots=True)
class Received:
    """An advertisement off the wire, with what only a router can judge.

    `checksum` is what version 3 summed; the last two are of version 2.
    """

    advertisement: Advertisement
    source: IpAddress
    destination: IpAddress
    checksum: Checksum | None = None
    auth_type: int = NO_AUTHENTICATION
    auth_data: bytes = field(default=bytes(PASSWORD), repr=False)


def encode(
    advertisement: Advertisement,
    source: IpAddress,
    destination: IpAddress,
    checksum: Checksum = Checksum.PSEUDO_HEADER,
    password: bytes | None = None,
) -> bytes:
    """Return the VRRP message, without an IP header, as `source` sends it to `destination`.

    `checksum` is for version 3 over IPv4, `password` (at most 8 octets) for version 2.
    """
    if advertisement.version == V2:
        return _summed(_encode_v2(advertisement, password), b"")
    unsummed = _encode_v3(advertisement)
    if source.version == IPV4 and checksum is Checksum.RFC9568:
        return _summed(unsummed, b"")
    return _summed(unsummed, pseudo_header(source, destination, len(unsummed)))


def decode(datagram: Datagram) -> Received:
    """Read a message as RFC 3768 and RFC 9568 section 7.1 order it, or raise."""
    message = datagram.message
    if len(message) < _HEADER:
        raise MalformedAdvertisement(Reason.SHORT, f"{len(message)} octets")
    _require_shape(datagram)
    first, vrid, priority, count, *_ = message
    version, size = first >> 4, datagram.source.max_prefixlen // 8
    summed = _checksum(datagram, version)
    if vrid == 0:
        raise MalformedAdvertisement(Reason.VRID, "vrid 0", vrid)
    addresses = _addresses(message[_HEADER : _HEADER + size * count], size)
    said = Advertisement(vrid, priority, _interval(message, version), addresses, version)
    ends = datagram.source, datagram.destination
    if version == V3:
        return Received(said, *ends, summed)
    return Received(said, *ends, None, message[4], message[-PASSWORD:])


def _require_shape(datagram: Datagram) -> None:
    """Raise for what cannot be read further: from afar, another version or type, wrong length."""
    message, size = datagram.message, datagram.source.max_prefixlen // 8
    first, vrid, _, count, *_ = message
    version, kind = first >> 4, first & 0xF
    wanted = _HEADER + size * count + (PASSWORD if version == V2 else 0)
    if datagram.hops != HOPS and datagram.destination.is_multicast:
        raise MalformedAdvertisement(Reason.TTL, f"TTL {datagram.hops}", vrid)
    if version != V3 and (version, datagram.source.version) != (V2, IPV4):
        raise MalformedAdvertisement(Reason.VERSION, f"version {version}", vrid)
    if kind != _TYPE:
        raise MalformedAdvertisement(Reason.TYPE, f"type {kind}", vrid)
    if len(message) != wanted:
        raise MalformedAdvertisement(
            Reason.LENGTH, f"{len(message)} octets, {count} addresses", vrid
        )


def _encode_v2(said: Advertisement, password: bytes | None) -> bytes:
    kind = NO_AUTHENTICATION if password is None else SIMPLE_PASSWORD
    first, count, seconds = V2 << 4 | _TYPE, len(said.addresses), said.interval // SECOND
    head = _V2.pack(first, said.vrid, said.priority, count, kind, seconds, 0)
    return head + _packed(said) + padded(password or b"")


def _encode_v3(said: Advertisement) -> bytes:
    first, count = V3 << 4 | _TYPE, len(said.addresses)
    return _V3.pack(first, said.vrid, said.priority, count, said.interval, 0) + _packed(said)


def padded(password: bytes) -> bytes:
    """Return a password as authentication data: filled up with zeros (RFC 2338, 5.3.10)."""
    return password.ljust(PASSWORD, b"\0")


def _packed(said: Advertisement) -> bytes:
    return b"".join(address.packed for address in said.addresses)


def _summed(message: bytes, before: bytes) -> bytes:
    sum_ = internet_checksum(before + message).to_bytes(2, "big")
    return message[: _SUM.start] + sum_ + message[_SUM.stop :]


def _checksum(datagram: Datagram, version: int) -> Checksum | None:
    """Say what a right checksum covers, of the kinds that this version has over this family."""
    message, family = datagram.message, datagram.source.version
    head = pseudo_header(datagram.source, datagram.destination, len(message))
    if version == V3 and internet_checksum(head + message) == 0:
        return Checksum.PSEUDO_HEADER
    if family == IPV4 and internet_checksum(message) == 0:
        return Checksum.RFC9568
    raise MalformedAdvertisement(Reason.CHECKSUM, message[_SUM].hex(), message[1])


def _interval(message: bytes, version: int) -> int:
    """Return the interval in centiseconds; the reserved bits are ignored (section 5.2.6)."""
    seconds, read = message[5], int.from_bytes(message[4:6], "big") & LONGEST[V3]
    interval = seconds * SECOND if version == V2 else read
    if not interval:
        raise MalformedAdvertisement(Reason.INTERVAL, "interval 0", message[1])
    return interval


def _addresses(packed: bytes, size: int) -> tuple[IpAddress, ...]:
    kind = IPv4Address if size == IPv4Address(0).max_prefixlen // 8 else IPv6Address
    return tuple(kind(packed[at : at + size]) for at in range(0, len(packed), size))

"""Datagrams, and the packets that carry them (RFC 791, RFC 8200; RFC 9568 section 5.1.1).

One rule: whoever reads a message reads its datagram first; what is inside is none of its concern.
"""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from libra_vrrp.checksum import internet_checksum
from libra_vrrp.codec.advertisement import HOPS, IPV4, IPV6, PROTOCOL
from libra_vrrp.codec.malformed import MalformedAdvertisement, Reason
from libra_vrrp.rtnetlink import IpAddress

TOS_NETWORK_CONTROL: Final = 0xC0
_IPV4: Final = struct.Struct("!BBHHHBBH4s4s")
_IPV6: Final = struct.Struct("!IHBB16s16s")


@dataclass(frozen=True, slots=True)
class Datagram:
    """A message from one address to another; `hops` is its TTL or hop limit."""

    source: IpAddress
    destination: IpAddress
    message: bytes
    hops: int = HOPS


def encode_packet(datagram: Datagram, identification: int = 0) -> bytes:
    """Return the whole IPv4 packet; the kernel fills in identification 0 (raw(7))."""
    length, hops = _IPV4.size + len(datagram.message), datagram.hops
    fields = (0x45, TOS_NETWORK_CONTROL, length, identification, 0, hops, PROTOCOL)
    ends = datagram.source.packed, datagram.destination.packed
    header = _IPV4.pack(*fields, internet_checksum(_IPV4.pack(*fields, 0, *ends)), *ends)
    return header + datagram.message


def whole_packet(datagram: Datagram) -> bytes:
    """Return the packet of either family, for a socket on which the kernel makes no header."""
    if datagram.source.version == IPV4:
        return encode_packet(datagram)
    first = IPV6 << 28 | TOS_NETWORK_CONTROL << 20
    ends = datagram.source.packed, datagram.destination.packed
    return (
        _IPV6.pack(first, len(datagram.message), PROTOCOL, datagram.hops, *ends) + datagram.message
    )


def decode_packet(packet: bytes) -> Datagram:
    """Read an IPv4 packet as a raw socket delivers it, or raise `MalformedAdvertisement`.

    The kernel has verified the header's checksum; padding after the packet is tolerated. One whose
    header does not fit is that of a datagram larger than whoever received it takes.
    """
    if len(packet) < _IPV4.size:
        raise MalformedAdvertisement(Reason.SHORT, f"{len(packet)} octets")
    first, _, total, _, _, ttl, protocol, _, src, dst = _IPV4.unpack_from(packet)
    source, destination = IPv4Address(src), IPv4Address(dst)
    header = (first & 0xF) * 4
    fits = _IPV4.size <= header <= total <= len(packet)
    if first >> 4 != IPV4 or protocol != PROTOCOL or not fits:
        what = f"length {total}, protocol {protocol}"
        raise MalformedAdvertisement(Reason.HEADER, what, source=source, destination=destination)
    return Datagram(source, destination, packet[header:total], ttl)

"""VRRPv3 advertisements over IPv4 <-> bytes (RFC 9568 section 5, RFC 5798 section 5).

One rule: any bytes either decode or raise `MalformedAdvertisement` with a reason that can be
counted. Intervals are centiseconds, as on the wire.
"""

import struct
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address
from typing import Final

GROUP: Final = IPv4Address("224.0.0.18")
PROTOCOL: Final = 112
TTL: Final = 255
OWNER: Final = 255
"""Priority of the router whose own address is the virtual one (section 6.1)."""
MAX_INTERVAL: Final = 0xFFF

_VERSION: Final = 3
_ADVERTISEMENT: Final = 1
_PDU: Final = struct.Struct("!BBBBHH")
_PSEUDO: Final = struct.Struct("!4s4sBBH")
_IPV4: Final = struct.Struct("!BBHHHBBH4s4s")
_TOS_NETWORK_CONTROL: Final = 0xC0


class Reason(StrEnum):
    """Why bytes are not an advertisement for us; the label it is counted under."""

    SHORT = "short"
    HEADER = "header"
    TTL = "ttl"
    VERSION = "version"
    TYPE = "type"
    VRID = "vrid"
    INTERVAL = "interval"
    LENGTH = "length"
    CHECKSUM = "checksum"


class MalformedAdvertisement(ValueError):
    """The peer is wrong: `reason` says how, `detail` shows what was received."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Checksum(StrEnum):
    """What the checksum covers: the pseudo header too (keepalived), or the message alone."""

    PSEUDO_HEADER = "pseudo-header"
    RFC9568 = "rfc9568"


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What a router says about one virtual router; `interval` in centiseconds (section 5.2)."""

    vrid: int
    priority: int
    interval: int
    addresses: tuple[IPv4Address, ...] = ()

    def __post_init__(self) -> None:
        """Raise `ValueError` for what has no place in the format."""
        if not 1 <= self.vrid <= 255:  # noqa: PLR2004 - one octet
            raise ValueError(f"vrid {self.vrid} is not within 1-255")
        if not 0 <= self.priority <= OWNER:
            raise ValueError(f"priority {self.priority} is not within 0-255")
        if not 1 <= self.interval <= MAX_INTERVAL:
            raise ValueError(f"interval {self.interval} cs is not within 1-4095")
        if len(self.addresses) > 255:  # noqa: PLR2004 - one octet counts them
            raise ValueError("an advertisement holds at most 255 addresses")


@dataclass(frozen=True, slots=True)
class Received:
    """An advertisement off the wire: who sent it, and which checksum it carried."""

    advertisement: Advertisement
    source: IPv4Address
    checksum: Checksum


def encode(
    advertisement: Advertisement,
    source: IPv4Address,
    checksum: Checksum = Checksum.PSEUDO_HEADER,
) -> bytes:
    """Return the VRRP message, without an IP header, as `source` sends it to the group."""
    addresses = b"".join(address.packed for address in advertisement.addresses)
    first, count = _VERSION << 4 | _ADVERTISEMENT, len(advertisement.addresses)
    fields = first, advertisement.vrid, advertisement.priority, count, advertisement.interval
    unsummed = _PDU.pack(*fields, 0) + addresses
    covered = unsummed
    if checksum is Checksum.PSEUDO_HEADER:
        covered = _pseudo_header(source, GROUP, len(unsummed)) + unsummed
    return _PDU.pack(*fields, _ones_complement(covered)) + addresses


def decode(
    message: bytes, source: IPv4Address, destination: IPv4Address = GROUP
) -> tuple[Advertisement, Checksum]:
    """Read a VRRP message as RFC 9568 section 7.1 orders it, or raise `MalformedAdvertisement`."""
    if len(message) < _PDU.size:
        raise MalformedAdvertisement(Reason.SHORT, f"{len(message)} octets")
    first, vrid, priority, count, interval, _ = _PDU.unpack_from(message)
    if first >> 4 != _VERSION:
        raise MalformedAdvertisement(Reason.VERSION, f"version {first >> 4}")
    if first & 0xF != _ADVERTISEMENT:
        raise MalformedAdvertisement(Reason.TYPE, f"type {first & 0xF}")
    if len(message) != _PDU.size + 4 * count:
        raise MalformedAdvertisement(Reason.LENGTH, f"{len(message)} octets, {count} addresses")
    variant = _checksum_of(message, source, destination)
    if vrid == 0:
        raise MalformedAdvertisement(Reason.VRID, "vrid 0")
    if not interval & MAX_INTERVAL:
        raise MalformedAdvertisement(Reason.INTERVAL, "interval 0")
    packed = message[_PDU.size :]
    addresses = tuple(IPv4Address(packed[i : i + 4]) for i in range(0, len(packed), 4))
    return Advertisement(vrid, priority, interval & MAX_INTERVAL, addresses), variant


def encode_packet(
    advertisement: Advertisement,
    source: IPv4Address,
    checksum: Checksum = Checksum.PSEUDO_HEADER,
    identification: int = 0,
) -> bytes:
    """Return the whole IPv4 packet; the kernel fills in identification 0 (raw(7))."""
    message = encode(advertisement, source, checksum)
    fields = (0x45, _TOS_NETWORK_CONTROL, 20 + len(message), identification, 0, TTL, PROTOCOL)
    ends = source.packed, GROUP.packed
    header = _IPV4.pack(*fields, _ones_complement(_IPV4.pack(*fields, 0, *ends)), *ends)
    return header + message


def decode_packet(packet: bytes) -> Received:
    """Read an IPv4 packet as a raw socket delivers it, or raise `MalformedAdvertisement`.

    The kernel has verified the header's checksum; padding after the packet is tolerated.
    """
    if len(packet) < _IPV4.size:
        raise MalformedAdvertisement(Reason.SHORT, f"{len(packet)} octets")
    first, _, total, _, _, ttl, protocol, _, src, dst = _IPV4.unpack_from(packet)
    header = (first & 0xF) * 4
    if first >> 4 != 4 or protocol != PROTOCOL or not _IPV4.size <= header <= total <= len(packet):  # noqa: PLR2004 - IPv4
        raise MalformedAdvertisement(Reason.HEADER, f"length {total}, protocol {protocol}")
    if ttl != TTL:
        raise MalformedAdvertisement(Reason.TTL, f"TTL {ttl}")
    source = IPv4Address(src)
    advertisement, variant = decode(packet[header:total], source, IPv4Address(dst))
    return Received(advertisement, source, variant)


def _checksum_of(message: bytes, source: IPv4Address, destination: IPv4Address) -> Checksum:
    """Say which checksum the message carries; with a right one the sum is zero (RFC 1071)."""
    if _ones_complement(_pseudo_header(source, destination, len(message)) + message) == 0:
        return Checksum.PSEUDO_HEADER
    if _ones_complement(message) == 0:
        return Checksum.RFC9568
    raise MalformedAdvertisement(Reason.CHECKSUM, message[6:8].hex())


def _pseudo_header(source: IPv4Address, destination: IPv4Address, length: int) -> bytes:
    """Return the header of RFC 5798 section 5.2.8 for IPv4: as that of TCP (RFC 793)."""
    return _PSEUDO.pack(source.packed, destination.packed, 0, PROTOCOL, length)


def _ones_complement(data: bytes) -> int:
    """Return the Internet checksum of an even number of octets (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF

"""What tells the neighbours: gratuitous ARP (RFC 5227), unsolicited neighbour advertisements.

Frames as bytes (RFC 4861 section 7.2.6, RFC 9568 sections 6.4.2, 8.1.2 and 8.2.2), and when to send
them.

One rule: frames say what is; the schedule says when; neither sends. Times are seconds.
"""

import struct
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from libra_vrrp.checksum import internet_checksum

BROADCAST: Final = b"\xff" * 6
ALL_NODES: Final = IPv6Address("ff02::1")
_ETHERNET: Final = struct.Struct("!6s6sH")
_ARP: Final = struct.Struct("!HHBBH6s4s6s4s")
_ETHERTYPE_ARP, _ETHERTYPE_IPV4, _ARP_ETHERNET, _REQUEST = 0x0806, 0x0800, 1, 1
_IPV6: Final = struct.Struct("!IHBB16s16s")
_PSEUDO: Final = struct.Struct("!16s16sI3xB")
_ADVERTISEMENT: Final = struct.Struct("!BBHI16sBB")
_ETHERTYPE_IPV6, _ICMPV6, _HOP_LIMIT, _VERSION_6 = 0x86DD, 58, 255, 6 << 28
_NEIGHBOUR_ADVERTISEMENT, _TARGET_LINK_LAYER = 136, 2
_ROUTER, _OVERRIDE = 1 << 31, 1 << 29


@dataclass(frozen=True, slots=True)
class Garp:
    """`repeat` frames per address at once and again after `delay`; then every `refresh` (0: no)."""

    repeat: int = 5
    delay: float = 5.0
    refresh: float = 0.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Bursts still to come, in order: each is a moment and how many frames per address."""

    bursts: tuple[tuple[float, int], ...]
    refresh: float = 0.0


def gratuitous_arp(mac: bytes, address: IPv4Address) -> bytes:
    """Return the broadcast request of keepalived: sender = target = `address`, 42 octets."""
    arp = _ARP.pack(
        _ARP_ETHERNET,
        _ETHERTYPE_IPV4,
        len(mac),
        4,
        _REQUEST,
        mac,
        address.packed,
        BROADCAST,
        address.packed,
    )
    return _ETHERNET.pack(BROADCAST, mac, _ETHERTYPE_ARP) + arp


def neighbour_advertisement(mac: bytes, address: IPv6Address, *, router: bool) -> bytes:
    """Return the unsolicited advertisement of keepalived: from `address`, to all nodes, 86 octets.

    Override is set, so that neighbours replace what they knew; without `router` those who have
    `address` as their router would drop it (RFC 4861 section 7.2.5). `mac` has 6 octets.
    """
    flags = _OVERRIDE | (_ROUTER if router else 0)
    option = _TARGET_LINK_LAYER, (2 + len(mac)) // 8
    body = _ADVERTISEMENT.pack(_NEIGHBOUR_ADVERTISEMENT, 0, 0, flags, address.packed, *option) + mac
    ends = address.packed, ALL_NODES.packed
    checksum = internet_checksum(_PSEUDO.pack(*ends, len(body), _ICMPV6) + body)
    ip = _IPV6.pack(_VERSION_6, len(body), _ICMPV6, _HOP_LIMIT, *ends)
    multicast = b"\x33\x33" + ALL_NODES.packed[-4:]
    summed = body[:2] + checksum.to_bytes(2, "big") + body[4:]
    return _ETHERNET.pack(multicast, mac, _ETHERTYPE_IPV6) + ip + summed


def begin(garp: Garp, now: float) -> Schedule:
    """Return the schedule of a new master, or of one that was contested."""
    return Schedule(((now, garp.repeat), (now + garp.delay, garp.repeat)), garp.refresh)


def due_at(schedule: Schedule) -> float | None:
    """Return when the next burst is due."""
    return schedule.bursts[0][0] if schedule.bursts else None


def advance(schedule: Schedule, now: float) -> tuple[Schedule, int]:
    """Return the schedule after `now`, and how many frames per address to send for it."""
    if not schedule.bursts or now < schedule.bursts[0][0]:
        return schedule, 0
    due = [count for at, count in schedule.bursts if at <= now]
    left = tuple(burst for burst in schedule.bursts if burst[0] > now)
    if not left and schedule.refresh:
        left = ((now + schedule.refresh, 1),)
    return replace(schedule, bursts=left), max(due)

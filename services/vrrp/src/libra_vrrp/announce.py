"""Gratuitous ARP: frames as bytes (RFC 5227, RFC 9568 section 8.1.2) and when to send them.

One rule: frames say what is; the schedule says when; neither sends. Times are seconds.
"""

import struct
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from typing import Final

BROADCAST: Final = b"\xff" * 6
_ETHERNET: Final = struct.Struct("!6s6sH")
_ARP: Final = struct.Struct("!HHBBH6s4s6s4s")
_ETHERTYPE_ARP, _ETHERTYPE_IPV4, _ARP_ETHERNET, _REQUEST = 0x0806, 0x0800, 1, 1


@dataclass(frozen=True, slots=True)
class Garp:
    """`repeat` frames per address at once and again after `delay`; then every `refresh` (0: no)."""

    repeat: int = 5
    delay: float = 5.0
    refresh: float = 0.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Bursts still to come: each is a moment and how many frames per address."""

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


def begin(garp: Garp, now: float) -> Schedule:
    """Return the schedule of a new master, or of one that was contested."""
    return Schedule(((now, garp.repeat), (now + garp.delay, garp.repeat)), garp.refresh)


def due_at(schedule: Schedule) -> float | None:
    """Return when the next burst is due."""
    return schedule.bursts[0][0] if schedule.bursts else None


def advance(schedule: Schedule, now: float) -> tuple[Schedule, int]:
    """Return the schedule after `now`, and how many frames per address to send for it."""
    due = [count for at, count in schedule.bursts if at <= now]
    left = tuple(burst for burst in schedule.bursts if burst[0] > now)
    if due and not left and schedule.refresh:
        left = ((now + schedule.refresh, 1),)
    return replace(schedule, bursts=left), max(due, default=0)

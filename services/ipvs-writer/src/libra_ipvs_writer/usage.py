"""What services and destinations carry: the counters of a kernel dump (linux/ip_vs.h).

Rule: the 64-bit statistics only; a kernel without them (before 4.2) is a MalformedMessage.
"""

from dataclasses import dataclass
from struct import Struct

from libra_ipvs_writer import header as h
from libra_ipvs_writer.netlink import attributes, inside, sized, u32

U64 = Struct("=Q")


@dataclass(frozen=True, slots=True)
class Counters:
    """What a service or destination carried since it was made (64 bit)."""

    connections: int = 0
    packets_in: int = 0
    packets_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """What a destination carries now (connections) and carried since it was made."""

    active: int
    inactive: int
    persistent: int
    counters: Counters


def decode_usage(payload: bytes) -> Usage:
    """Read a destination's connections and counters."""
    found = inside(payload, h.CMD_ATTR_DEST)
    active, inactive = u32(found, h.DEST_ACTIVE), u32(found, h.DEST_INACTIVE)
    counters = _counters(found, h.DEST_STATS64)
    return Usage(active, inactive, u32(found, h.DEST_PERSISTENT), counters)


def decode_counters(payload: bytes) -> Counters:
    """Read a service's counters (Linux >= 4.2)."""
    return _counters(inside(payload, h.CMD_ATTR_SERVICE), h.SVC_STATS64)


def _counters(found: dict[int, bytes], kind: int) -> Counters:
    stats = attributes(sized(found, kind))
    return Counters(*(int(U64.unpack(sized(stats, each, 8))[0]) for each in range(1, 6)))

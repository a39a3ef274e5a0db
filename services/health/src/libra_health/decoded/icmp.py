"""ICMP messages in words (RFC 792, RFC 4443).

The one rule: an id is told only where it is the one on the wire.
"""

from __future__ import annotations

import struct
from functools import partial
from typing import Final

from libra_health.decoded.flow import Show, Take, Unreadable, Way

_HEADER: Final = struct.Struct("!BBHHH")
_V4: Final = {
    0: "echo reply", 3: "destination unreachable", 4: "source quench", 5: "redirect",
    8: "echo request", 11: "time exceeded", 12: "parameter problem",
}  # fmt: skip
_V6: Final = {
    1: "destination unreachable", 2: "packet too big", 3: "time exceeded", 4: "parameter problem",
    128: "echo request", 129: "echo reply",
}  # fmt: skip
_ECHOES: Final = frozenset({"echo request", "echo reply"})
_CODES_V4: Final = {
    (3, 0): "network", (3, 1): "host", (3, 2): "protocol", (3, 3): "port",
    (3, 4): "fragmentation needed", (3, 9): "prohibited", (3, 10): "prohibited",
    (3, 13): "prohibited", (11, 0): "in transit", (11, 1): "of its fragments",
}  # fmt: skip
_CODES_V6: Final = {
    (1, 0): "no route", (1, 1): "prohibited", (1, 3): "address", (1, 4): "port",
    (3, 0): "in transit", (3, 1): "of its fragments",
}  # fmt: skip


def taking(way: Way) -> Take:
    """Read what goes this way."""
    return partial(_take, way)


def _take(way: Way, data: bytes, show: Show) -> tuple[str, int] | None:
    found = _without_ip(data) if way.is_raw and not way.is_ipv6 and not way.is_sent else data
    if len(found) < _HEADER.size:
        raise Unreadable
    kind, code, _, identifier, sequence = _HEADER.unpack_from(found)
    name = (_V6 if way.is_ipv6 else _V4).get(kind)
    protocol = "ICMPv6" if way.is_ipv6 else "ICMP"
    payload = found[_HEADER.size :]
    if name is None:
        return f"{protocol} type {kind}, code {code}: '{show(payload)}'", len(data)
    if name not in _ECHOES:
        why = (_CODES_V6 if way.is_ipv6 else _CODES_V4).get((kind, code))
        return f"{protocol} {name}: {why or f'code {code}'}", len(data)
    # a ping socket replaces the identifier by its own (icmp(7))
    whose = f"id {identifier}" if way.is_raw or not way.is_sent else "the kernel's id"
    return f"{protocol} {name}, {whose}, seq {sequence}, {len(payload)} bytes", len(data)


def _without_ip(data: bytes) -> bytes:
    """Leave out the IPv4 header (RFC 791 section 3.1)."""
    return data[(data[0] & 15) * 4 :] if data else b""

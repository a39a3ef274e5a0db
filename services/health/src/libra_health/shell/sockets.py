"""Sockets as checks need them: non-blocking from birth, closed without a trace.

Every function raises OSError where the kernel says no.
"""

from __future__ import annotations

import socket
import struct
from typing import Final

from libra_health.wire import Target

_ABORT: Final = struct.pack("ii", 1, 0)
_STREAM: Final = socket.SOCK_STREAM | socket.SOCK_NONBLOCK
_DATAGRAM: Final = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
_RAW: Final = socket.SOCK_RAW | socket.SOCK_NONBLOCK
_IP_RECVERR: Final = 11
"""linux/in.h: report every ICMP error of a connected socket."""
_IPV6_RECVERR: Final = 25
"""linux/in6.h, likewise."""


def stream(target: Target, *, abort: bool) -> socket.socket:
    """Make a TCP socket for `target`. `abort`: closing sends RST and leaves no TIME_WAIT."""
    sock = socket.socket(socket.AF_INET6 if target.is_ipv6 else socket.AF_INET, _STREAM)
    if abort:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
    return sock


def ping(target: Target) -> tuple[socket.socket, bool]:
    """Open and connect an ICMP echo socket; say whether it is a raw one.

    A ping socket where net.ipv4.ping_group_range allows it, else a raw one (CAP_NET_RAW).
    """
    family = socket.AF_INET6 if target.is_ipv6 else socket.AF_INET
    protocol = socket.IPPROTO_ICMPV6 if target.is_ipv6 else socket.IPPROTO_ICMP
    is_raw = False
    try:
        sock = socket.socket(family, _DATAGRAM, protocol)
    except PermissionError:
        sock, is_raw = socket.socket(family, _RAW, protocol), True
    try:
        level = socket.IPPROTO_IPV6 if target.is_ipv6 else socket.IPPROTO_IP
        sock.setsockopt(level, _IPV6_RECVERR if target.is_ipv6 else _IP_RECVERR, 1)
        sock.connect((target.address, 0))
    except OSError:
        sock.close()
        raise
    return sock, is_raw

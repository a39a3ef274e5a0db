"""Sockets as checks need them: non-blocking from birth, leaving where they are told to.

Every function raises OSError where the kernel says no.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Final

from libra_health.echo_filter import echo_filter
from libra_health.wire import ANYWHERE, Origin, Target

_ABORT: Final = struct.pack("ii", 1, 0)
_STREAM: Final = socket.SOCK_STREAM | socket.SOCK_NONBLOCK
_DATAGRAM: Final = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
_RAW: Final = socket.SOCK_RAW | socket.SOCK_NONBLOCK
_SO_ATTACH_FILTER: Final = 26
"""asm-generic/socket.h."""
_INSTRUCTION: Final = 8
"""Bytes of a struct sock_filter."""
_IP_RECVERR: Final = 11
"""linux/in.h: report every ICMP error of a connected socket."""
_IPV6_RECVERR: Final = 25
"""linux/in6.h, likewise."""
_IP_BIND_ADDRESS_NO_PORT: Final = 24
"""linux/in.h: the port is chosen by connect, so that one address has them once per target."""


def stream(target: Target, *, abort: bool) -> socket.socket:
    """Make a TCP socket for `target`. `abort`: closing sends RST and leaves no TIME_WAIT."""
    sock = socket.socket(_family(target), _STREAM)
    try:
        if abort:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        if target.origin is not ANYWHERE:
            sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            _leave_from(sock, target.origin)
    except OSError:
        sock.close()
        raise
    return sock


def serves_others(target: Target) -> bool:
    """Tell whether a TCP socket that stood in a connection to `target` can connect elsewhere.

    One that an option binds cannot. Nor can an IPv6 one that was connected to an IPv4 address (it
    stays an IPv4 socket) or to a link-local one (it stays bound to that link; `tcp_v6_connect` in
    net/ipv6/tcp_ipv6.c).
    """
    return target.origin is ANYWHERE and not (target.is_ipv6 and _marks(target.address))


@lru_cache(maxsize=65536)
def _marks(address: str) -> bool:
    """Tell whether a connection to an IPv6 address changes its socket for good."""
    seen = IPv6Address(address)
    return seen.is_link_local or seen.ipv4_mapped is not None


def datagram(target: Target) -> socket.socket:
    """Open a UDP socket connected to `target`, which hears of every ICMP error."""
    return _connected(socket.socket(_family(target), _DATAGRAM), target, target.port)


def ping(target: Target) -> tuple[socket.socket, bool]:
    """Open and connect an ICMP echo socket; say whether it is a raw one.

    A ping socket where net.ipv4.ping_group_range allows it, else a raw one (CAP_NET_RAW). A raw one
    hears all that comes from there by ICMP.
    """
    protocol = socket.IPPROTO_ICMPV6 if target.is_ipv6 else socket.IPPROTO_ICMP
    is_raw = False
    try:
        sock = socket.socket(_family(target), _DATAGRAM, protocol)
    except PermissionError:
        sock, is_raw = socket.socket(_family(target), _RAW, protocol), True
    return _connected(sock, target, 0), is_raw


def hear_only(sock: socket.socket, token: bytes) -> None:
    """Have the kernel drop for a raw echo socket what is no reply with our `token`."""
    attach(sock, echo_filter(token, is_ipv6=sock.family == socket.AF_INET6))


def attach(sock: socket.socket, program: bytes) -> None:
    """Have the kernel drop what a classic BPF program does not pass.

    No filter is cheap: when its socket is closed the program is unmapped, for which every processor
    is asked (`VM_FLUSH_RESET_PERMS` in mm/vmalloc.c).
    """
    kept = ctypes.create_string_buffer(program, len(program))
    number = len(program) // _INSTRUCTION
    sock.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", number, ctypes.addressof(kept))
    )


def _connected(sock: socket.socket, target: Target, port: int) -> socket.socket:
    try:
        level = socket.IPPROTO_IPV6 if target.is_ipv6 else socket.IPPROTO_IP
        sock.setsockopt(level, _IPV6_RECVERR if target.is_ipv6 else _IP_RECVERR, 1)
        if target.origin is not ANYWHERE:
            _leave_from(sock, target.origin)
        sock.connect((target.address, port))
    except OSError:
        sock.close()
        raise
    return sock


def _leave_from(sock: socket.socket, origin: Origin) -> None:
    """Bind to what the operator named; the mark takes CAP_NET_RAW, before Linux 5.17 NET_ADMIN."""
    if origin.interface:
        name = origin.interface.encode()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name)
    if origin.fwmark:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, origin.fwmark)
    if origin.address:
        sock.bind((origin.address, 0))


def _family(target: Target) -> socket.AddressFamily:
    return socket.AF_INET6 if target.is_ipv6 else socket.AF_INET

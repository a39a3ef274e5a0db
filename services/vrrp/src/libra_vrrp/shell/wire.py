"""What the raw sockets of both families have in common."""

import ctypes
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from libra_vrrp.codec import PROTOCOL, Datagram, MalformedAdvertisement
from libra_vrrp.orders import Channel

LARGEST: Final = 8192
"""Octets of a datagram: 255 addresses of IPv6 are 4,088."""

_RECEIVE_BUFFER: Final = 1 << 20
_FLAGS: Final = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
CONTROL: Final = 6
"""The priority of a packet in the queues of its way out (TC_PRIO_CONTROL, linux/pkt_sched.h)."""
"""Priority of network control (tc-prio(8))."""

Heard: TypeAlias = Datagram | MalformedAdvertisement


@dataclass(frozen=True, slots=True)
class Wire:
    """How a family opens a channel, takes what waits, and puts a datagram out with MSG_ flags.

    `open` has the index of the interface of a group, else 0. All raise `OSError`.
    """

    open: Callable[[Channel, int], socket.socket]
    take: Callable[[socket.socket], Heard]
    put: Callable[[socket.socket, Datagram, int], None]


def raw_socket(family: socket.AddressFamily) -> socket.socket:
    """Return a raw socket of VRRP; raise `OSError` where that is not allowed."""
    raw = socket.socket(family, _FLAGS, PROTOCOL)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, CONTROL)
    return raw


def join(joining: socket.socket, level: int, option: int, request: bytes) -> None:
    """Join a group: unlike `socket.setsockopt`, without the interpreter's lock while it waits."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setsockopt(joining.fileno(), level, option, request, len(request)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))

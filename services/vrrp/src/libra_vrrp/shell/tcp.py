"""The TCP sockets of tethers: none ever blocks, and a way that is gone is noticed and no death."""

import random
import selectors
import socket
import struct
from collections.abc import Callable
from typing import Final, Protocol

from libra_vrrp.rtnetlink import IpAddress

IDLE: Final = 5
"""Seconds of silence after which the kernel asks whether the other host is there."""
TRIES: Final = 3
"""Unanswered questions, as many seconds apart, after which a connection is gone."""
_BACKLOG: Final = 8
_FREEBIND: Final = {4: (socket.IPPROTO_IP, 15), 6: (socket.IPPROTO_IPV6, 78)}
"""IP_FREEBIND, IPV6_FREEBIND (linux/in.h, linux/in6.h): the address need not be there yet."""
_NO_LINGER: Final = struct.pack("ii", 1, 0)


class Selector(Protocol):
    """What waits for sockets: an epoll(7) is one."""

    def fileno(self) -> int:
        """Return the descriptor that is readable when `select` has something to return."""

    def register(
        self, fileobj: socket.socket, events: int, data: Callable[[float], None]
    ) -> selectors.SelectorKey:
        """Wait for a socket."""

    def unregister(self, fileobj: socket.socket) -> selectors.SelectorKey:
        """Wait for it no more."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready."""

    def close(self) -> None:
        """Wait for nothing any more."""


class Tcp(Protocol):
    """What tethers have of the kernel, and of chance: this very module is one."""

    def selector(self) -> Selector:
        """Return what waits for sockets."""

    def dice(self) -> float:
        """Return a number from 0 to 1."""

    def listen(self, own: IpAddress, port: int) -> socket.socket:
        """Return a socket that listens at our address alone; raise `OSError`."""

    def dial(self, own: IpAddress, other: IpAddress, port: int) -> socket.socket:
        """Return a socket that is about to connect from our address; raise `OSError`."""

    def tune(self, connection: socket.socket) -> None:
        """Have the kernel give a connection up where the other host is gone."""

    def drop(self, connection: socket.socket) -> None:
        """End a connection that was never one of ours, at once and with nothing left of it."""


def selector() -> Selector:
    """Return what waits for sockets."""
    return selectors.EpollSelector()


def dice() -> float:
    """Return a number from 0 to 1, for jitter."""
    return random.random()  # noqa: S311 - jitter


def listen(own: IpAddress, port: int) -> socket.socket:
    """Return a socket that listens at our address alone; raise `OSError`.

    One that our guard holds for our predecessor may listen there beside it for a moment.
    """
    listening = _made(own)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.setsockopt(*_FREEBIND[own.version], 1)
        if own.version == 6:  # noqa: PLR2004 - IPv6
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((str(own), port))
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def dial(own: IpAddress, other: IpAddress, port: int) -> socket.socket:
    """Return a socket that is about to connect from our address; raise `OSError`."""
    dialling = _made(own)
    try:
        tune(dialling)
        dialling.bind((str(own), 0))
        dialling.connect((str(other), port))
    except BlockingIOError:
        pass
    except OSError:
        dialling.close()
        raise
    return dialling


def tune(connection: socket.socket) -> None:
    """Have the kernel give a connection up where the other host is gone."""
    connection.setblocking(False)
    tcp = socket.IPPROTO_TCP
    connection.setsockopt(tcp, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(tcp, socket.TCP_KEEPIDLE, IDLE)
    connection.setsockopt(tcp, socket.TCP_KEEPINTVL, IDLE)
    connection.setsockopt(tcp, socket.TCP_KEEPCNT, TRIES)
    connection.setsockopt(tcp, socket.TCP_USER_TIMEOUT, IDLE * (TRIES + 1) * 1000)


def drop(connection: socket.socket) -> None:
    """End a connection that was never one of ours, at once and with nothing left of it."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    connection.close()


def _made(own: IpAddress) -> socket.socket:
    family = socket.AF_INET if own.version == 4 else socket.AF_INET6  # noqa: PLR2004 - IPv4
    return socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)

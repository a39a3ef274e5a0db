"""TCP sockets that connect again: two calls for a check instead of five.

The one rule: a spare has no peer and no past, and nobody is told of it until it is taken.
"""

from __future__ import annotations

import ctypes
import socket
from typing import Final

from libra_health.shell import sockets
from libra_health.shell.loop import Loop
from libra_health.wire import Target

MOST: Final = 64
"""Spares kept of each family; a socket that comes back after them is closed."""
_NOBODY: Final = ctypes.create_string_buffer(16)
"""A `struct sockaddr` of AF_UNSPEC, which is 0: connect(2) then ends the association."""
_libc: Final = ctypes.CDLL(None)


class Spares:
    """Belongs to the driver's thread. What it is given had been enrolled in `loop`, and stays so.

    To disconnect a TCP socket sends RST where one was due, gives its port back, and leaves it as
    new but for its options (connect(2); tcp_disconnect in net/ipv4/tcp.c). The hang-up that epoll
    then speaks of concerns nobody, and is over once the socket connects again.
    """

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._idle: dict[bool, list[socket.socket]] = {False: [], True: []}

    def take(self, target: Target) -> socket.socket | None:
        """Hand out a spare that can connect to `target`, if there is one."""
        idle = self._idle[target.is_ipv6]
        if not idle or not sockets.serves_others(target):
            return None
        return idle.pop()

    def leave(self, sock: socket.socket, *, again: bool) -> None:
        """End what a socket stands in; `again`: it ends by RST, leaves from anywhere, and stays."""
        idle = self._idle[sock.family == socket.AF_INET6]
        if again and len(idle) < MOST and _libc.connect(sock.fileno(), _NOBODY, len(_NOBODY)) == 0:
            self._loop.forget(sock.fileno())
            idle.append(sock)
        else:
            self._loop.close(sock)

    def keep(self, most: int) -> None:
        """Close those beyond `most` of each family."""
        for idle in self._idle.values():
            while len(idle) > most:
                self._loop.close(idle.pop())

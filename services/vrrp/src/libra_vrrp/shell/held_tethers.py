"""The guard's hold on tethers: they end when it ends, or when it gave up what the machine held.

A machine that is killed leaves its connections open here, and its port, so that nobody takes its
node for dead while the next machine adopts what it was master of.
"""

import contextlib
import os
import socket
from collections.abc import Callable, Iterable
from typing import Final, assert_never

from libra_vrrp.guarding import Superseded, Tether, Tethered, Untethered

MOST: Final = 256
"""Connections that are held; beyond them a death of both is noticed by its silence."""
_TCP_REPAIR: Final = 19
PORT: Final = "*"
"""In place of a node, which cannot be called so: the socket that all of them connect to."""


def _opened(descriptor: int) -> socket.socket:
    return socket.socket(fileno=descriptor)


class HeldTethers:
    """`_own` are the machine's, `_former` those of the machines before it.

    `opened` returns the socket of a descriptor; it raises `OSError` where that is of no socket.
    """

    def __init__(self, opened: Callable[[int], socket.socket] = _opened) -> None:
        self._opened = opened
        self._passed: list[socket.socket] = []
        self._own: dict[str, socket.socket] = {}
        self._former: dict[str, socket.socket] = {}

    def receive(self, descriptors: Iterable[int]) -> None:
        """Take the connections that came with a message; what no message claims is let go."""
        for one in self._passed:
            one.close()
        self._passed = []
        for descriptor in descriptors:
            try:
                self._passed.append(self._opened(descriptor))
            except OSError:  # no socket at all
                os.close(descriptor)

    def take(self, message: Tether) -> None:
        """Hold a connection, or let go of some."""
        match message:
            case Tethered(key=key):
                if self._passed and len(self._own) + len(self._former) < MOST:
                    self._own[key] = self._passed.pop()
            case Untethered(key=key):
                if key in self._own:
                    self._own.pop(key).close()
            case Superseded(node=node):
                for key in [key for key in self._former if key.startswith(f"{node} ")]:
                    self._former.pop(key).close()
            case _:
                assert_never(message)

    def outlive(self) -> None:
        """Know that the machine is dead: the next one has connections of its own."""
        self._former |= self._own
        self._own = {}

    def forsake(self) -> None:
        """Forget them without a word to the peers, which others of ours will speak to.

        A socket in repair ends without FIN or RST (linux/tcp.h, with CAP_NET_ADMIN).
        """
        for one in (*self._own.values(), *self._former.values()):
            with contextlib.suppress(OSError):
                one.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 1)
            one.close()
        self._own, self._former = {}, {}

    def cut(self) -> None:
        """End them all: the peers take over at once, for they find nobody who listens."""
        held = [*self._own.items(), *self._former.items()]
        for _, one in sorted(held, key=lambda each: not each[0].startswith(PORT)):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._own, self._former = {}, {}

"""One connection of a tether: its socket, and what is said on it."""

import contextlib
import os
import socket
from ipaddress import ip_address
from typing import Final

from libra_vrrp.tether import channel, message
from libra_vrrp.tether.channel import Channel, Routers, Word
from libra_vrrp.tether.ending import Ending, ending
from libra_vrrp.tether.message import NONCE, Bye, Hello, MalformedTether, Reason, Said

_AT_ONCE: Final = 4096
_MOST: Final = 1 << 16
"""Octets that one connection takes in a `_WHILE`: 255 routers say less than half of it."""
_WHILE: Final = 10.0


class TetherLine:
    """It greets at once; `key` names it to the guard. Nothing here ever waits."""

    def __init__(self, connection: socket.socket, key: str, own: bytes, expected: bytes) -> None:
        self.socket, self.key = connection, key
        here, there = connection.getsockname()[0], connection.getpeername()[0]
        hello = Hello(own, os.urandom(NONCE))
        packed = ip_address(here).packed, ip_address(there).packed
        self._channel = Channel(hello, expected, *packed)
        self.is_introduced = self._is_over = False
        self._taken, self._since = 0, 0.0
        self._send(message.encode(hello))

    def say(self, routers: Routers, router: bytes, said: Said) -> None:
        """Say something of a router."""
        self._channel, octets = channel.say(self._channel, routers, router, said)
        self._send(octets)

    def note(self) -> None:
        """Say that the other end was heard."""
        self._send(message.encode(message.Heard()))

    def receive(self, routers: Routers, now: float) -> tuple[tuple[Word, ...], Ending | None]:
        """Return what came in, and how the connection ended, if it did.

        Raise `MalformedTether` where nothing more is to be read from it.
        """
        words: tuple[Word, ...] = ()
        if self._is_over:
            return words, Ending.LOST
        try:
            octets = self.socket.recv(_AT_ONCE)
        except BlockingIOError:
            return words, None
        except OSError as wrong:
            return words, ending(wrong.errno or 0)
        if not octets:
            return words, ending(None)
        self._weigh(len(octets), now)
        self._channel, words = channel.hear(self._channel, routers, octets)
        return words, None

    def close(self, routers: Routers, reason: Reason) -> None:
        """Say bye for every router, and end it for whoever else holds it too."""
        if self.is_introduced:
            for router in routers:
                self.say(routers, router, Bye(reason))
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _weigh(self, octets: int, now: float) -> None:
        if now >= self._since + _WHILE:
            self._taken, self._since = 0, now
        self._taken += octets
        if self._taken > _MOST:
            raise MalformedTether(f"more than {_MOST} octets in {_WHILE:g} s")

    def _send(self, octets: bytes) -> None:
        """Send all of it; with who reads so little that it does not fit there is no talk."""
        try:
            if not octets or self.socket.send(octets) == len(octets):
                return
        except BlockingIOError:
            pass
        except OSError:  # its reading says how it ended
            return
        self._is_over = True
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

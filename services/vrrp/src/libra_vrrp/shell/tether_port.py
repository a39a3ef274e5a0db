"""The TCP port of tethers: only peers get in, and who floods costs little.

The guard holds it too: somebody has to listen there as long as the node is not dead.
"""

import os
import socket
from collections.abc import Collection
from contextlib import suppress
from ipaddress import ip_address
from typing import Final, Protocol

from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.shell.held_tethers import PORT
from libra_vrrp.shell.say import log
from libra_vrrp.shell.tcp import Tcp

RETRY: Final = 1.0
"""Seconds until another attempt to listen."""
REST: Final = 0.1
"""Seconds for which nobody is let in after somebody was: who floods waits in the kernel."""


class Around(Protocol):
    """What a port shares with the tethers."""

    tcp: Tcp

    def entrust(self, key: str, connection: socket.socket) -> bool:
        """Have the guard hold a socket too; False where it is not sure to."""

    def let_go(self, key: str) -> None:
        """Have the guard hold it no more."""

    def supersede(self, name: str) -> None:
        """Have the guard hold nothing more that our predecessor had under a name."""

    def count(self, name: str) -> None:
        """Count something."""


class Port:
    """It listens from its first `tend` on; a port that is taken is tried again."""

    def __init__(self, own: IpAddress, port: int, around: Around) -> None:
        self._own, self._port, self._around = own, port, around
        self._key = f"{PORT} {os.getpid()}"
        self._socket: socket.socket | None = None
        self._trouble = ""
        self.wake_at = 0.0
        self.is_resting = False

    @property
    def listening(self) -> socket.socket | None:
        """The socket to wait on; None while there is none, or nobody is let in."""
        return None if self.is_resting else self._socket

    def tend(self, now: float) -> None:
        """Listen, or let peers in again."""
        if now < self.wake_at:
            return
        self.wake_at, self.is_resting = float("inf"), False
        if self._socket is not None:
            return
        try:
            self._socket, self._trouble = self._listen(), ""
        except OSError as wrong:
            self.wake_at = now + RETRY
            if str(wrong) != self._trouble:
                self._trouble = str(wrong)
                at = f"{self._own} port {self._port}"
                log("no tether listens, trying again", "warning", at=at, why=self._trouble)

    def admit(
        self, peers: Collection[IpAddress], now: float
    ) -> tuple[socket.socket, IpAddress] | None:
        """Return a peer's connection that waits; whoever else is there is turned away.

        After either nobody is let in for a while, nor where there is no descriptor for him.
        """
        if self.listening is None:
            return None
        try:
            connection, (host, *_) = self.listening.accept()
        except BlockingIOError:
            return None
        except OSError:
            self._rest("tether_unaccepted", now)
            return None
        address = ip_address(host)
        if address in peers:
            self._rest("tether_accepted", now)
            return connection, address
        with suppress(OSError):
            self._around.tcp.drop(connection)
        self._rest("tether_stranger", now)
        return None

    def close(self) -> None:
        """Listen no more."""
        if self._socket is not None:
            self._around.let_go(self._key)
            self._socket.close()

    def _listen(self) -> socket.socket:
        """Return the socket, once the guard holds it in place of our predecessor's."""
        listening = self._around.tcp.listen(self._own, self._port)
        if not self._around.entrust(self._key, listening):
            listening.close()
            raise OSError("the guard does not hold it")
        self._around.supersede(PORT)
        return listening

    def _rest(self, why: str, now: float) -> None:
        self._around.count(why)
        self.is_resting, self.wake_at = True, now + REST

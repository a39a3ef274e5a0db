"""The TCP port of tethers: only peers get in, and strangers cost little."""

import socket
from collections.abc import Callable, Collection
from contextlib import suppress
from ipaddress import ip_address
from typing import Final

from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.shell import tcp
from libra_vrrp.shell.say import log

RETRY: Final = 1.0
"""Seconds until another attempt to listen."""
REST: Final = 0.1
"""Seconds for which nobody is let in after a stranger: who floods waits in the kernel."""
_AT_ONCE: Final = 4


class Port:
    """It listens from its first `tend` on; a port that is taken is tried again."""

    def __init__(self, own: IpAddress, port: int, count: Callable[[str], None]) -> None:
        self._own, self._port, self._count = own, port, count
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
            self._socket, self._trouble = tcp.listen(self._own, self._port), ""
        except OSError as wrong:
            self.wake_at = now + RETRY
            if str(wrong) != self._trouble:
                self._trouble = str(wrong)
                at = f"{self._own} port {self._port}"
                log("no tether listens, trying again", "warning", at=at, why=self._trouble)

    def admit(
        self, peers: Collection[IpAddress], now: float
    ) -> list[tuple[socket.socket, IpAddress]]:
        """Return the peers' connections that wait; whoever else is there is turned away."""
        found: list[tuple[socket.socket, IpAddress]] = []
        for _ in range(_AT_ONCE):
            if self.listening is None:
                break
            try:
                connection, (host, *_) = self.listening.accept()
            except OSError:
                break
            address = ip_address(host)
            if address in peers:
                found.append((connection, address))
                continue
            with suppress(OSError):
                tcp.drop(connection)
            self._count("tether_stranger")
            self.is_resting, self.wake_at = True, now + REST
        return found

    def close(self) -> None:
        """Listen no more."""
        if self._socket is not None:
            self._socket.close()

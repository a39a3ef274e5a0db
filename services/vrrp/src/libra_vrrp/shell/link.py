"""The sockets of VRRP: one per channel, and a packet socket for whole frames.

Whatever is to happen to every datagram on its way, in or out, happens in `Link`.
"""

import contextlib
import socket
from typing import Final

from libra_vrrp.codec import IPV4, IPV6, Datagram
from libra_vrrp.orders import Channel
from libra_vrrp.shell import ipv4, ipv6
from libra_vrrp.shell.wire import CONTROL, Heard

_AT_ONCE: Final = 64
_WIRES: Final = {IPV4: ipv4.WIRE, IPV6: ipv6.WIRE}


class Link:
    """The raw socket of a channel; `index` is the interface of a group, else 0.

    Raises `OSError` where raw sockets are not allowed or the interface is gone.
    """

    def __init__(self, channel: Channel, index: int) -> None:
        self.channel = channel
        self.index = index
        self._wire = _WIRES[channel.family]
        self._socket = self._wire.open(channel, index)

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._socket.fileno()

    def receive(self) -> list[Heard]:
        """Return the datagrams that wait, at most 64."""
        heard: list[Heard] = []
        with contextlib.suppress(OSError):
            while len(heard) < _AT_ONCE:
                heard.append(self._wire.take(self._socket))
        return heard

    def send(self, datagram: Datagram) -> bool:
        """Send one datagram; False if the kernel would not."""
        flags = socket.MSG_DONTROUTE if datagram.destination.is_multicast else 0
        try:
            self._wire.put(self._socket, datagram, flags)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Leave the group."""
        self._socket.close()


class Announcer:
    """The packet socket for whole Ethernet frames on any interface."""

    def __init__(self) -> None:
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_PACKET, kind, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, CONTROL)

    def send(self, interface: str, frame: bytes) -> bool:
        """Send one frame; False if the kernel would not."""
        try:
            self._socket.sendto(frame, (interface, 0))
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

"""The sockets of VRRP: a raw one per interface, and one packet socket for gratuitous ARP."""

import contextlib
import ctypes
import os
import socket
import struct
from typing import Final

from libra_vrrp.codec import GROUP, PROTOCOL

_IP_MULTICAST_ALL: Final = 49
_AT_ONCE: Final = 64
_LARGEST: Final = 2048
_RECEIVE_BUFFER: Final = 1 << 20


class Link:
    """The raw socket of one interface, joined to 224.0.0.18; whole IPv4 packets in and out.

    Raises `OSError` where raw sockets are not allowed or the interface is gone.
    """

    def __init__(self, name: str, index: int) -> None:
        self.name = name
        self.index = index
        self._socket = socket.socket(
            socket.AF_INET, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, PROTOCOL
        )
        try:
            self._prepare()
        except OSError:
            self.close()
            raise

    def _prepare(self) -> None:
        raw, group = self._socket, GROUP.packed
        request = struct.pack("=4s4si", group, bytes(4), self.index)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.name.encode())
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, 6)
        raw.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, request)
        _join(raw.fileno(), request)
        raw.bind((str(GROUP), 0))

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._socket.fileno()

    def receive(self) -> list[bytes]:
        """Return the packets that wait, at most 64."""
        packets: list[bytes] = []
        with contextlib.suppress(OSError):
            while len(packets) < _AT_ONCE:
                packets.append(self._socket.recv(_LARGEST))
        return packets

    def send(self, packet: bytes) -> bool:
        """Send one packet to the group; False if the kernel would not."""
        try:
            self._socket.sendto(packet, socket.MSG_DONTROUTE, (str(GROUP), 0))
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Leave the group."""
        self._socket.close()


def _join(descriptor: int, request: bytes) -> None:
    """Join a group: unlike `socket.setsockopt`, without the interpreter's lock while it waits."""
    libc = ctypes.CDLL(None, use_errno=True)
    level, option = socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP
    if libc.setsockopt(descriptor, level, option, request, len(request)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class Announcer:
    """The packet socket for whole Ethernet frames on any interface."""

    def __init__(self) -> None:
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_PACKET, kind, 0)

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

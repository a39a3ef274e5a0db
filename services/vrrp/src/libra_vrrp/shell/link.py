"""The sockets of VRRP: raw ones for datagrams, and one packet socket for whole frames.

Whatever is to happen to every datagram on its way, in or out, happens in `Link`.
"""

import contextlib
import ctypes
import os
import socket
import struct
from typing import Final, TypeAlias

from libra_vrrp.codec import (
    GROUP,
    IPV4,
    PROTOCOL,
    Datagram,
    MalformedAdvertisement,
    decode_packet,
    encode_packet,
)
from libra_vrrp.orders import Channel, Multicast, Unicast

_IP_MULTICAST_ALL: Final = 49
_IP_FREEBIND: Final = 15
_AT_ONCE: Final = 64
_LARGEST: Final = 8192
_RECEIVE_BUFFER: Final = 1 << 20
_FLAGS: Final = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC

Heard: TypeAlias = Datagram | MalformedAdvertisement


class Link:
    """The raw IPv4 socket of a channel; `index` is the interface of a group, else 0.

    Raises `OSError` where raw sockets are not allowed or the interface is gone.
    """

    def __init__(self, channel: Channel, index: int) -> None:
        self.channel = channel
        self.index = index
        self._socket = socket.socket(socket.AF_INET, _FLAGS, PROTOCOL)
        try:
            self._prepare()
        except OSError:
            self.close()
            raise

    def _prepare(self) -> None:
        raw = self._socket
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, 6)
        raw.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        match self.channel:
            case Multicast(interface=name):
                self._join(name)
            case Unicast(source=source):
                raw.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
                raw.bind((str(source), 0))

    def _join(self, name: str) -> None:
        """Hear the group and what is said to us alone, on one interface."""
        request = struct.pack("=4s4si", GROUP[IPV4].packed, bytes(4), self.index)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, request)
        join(self._socket, socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._socket.fileno()

    def receive(self) -> list[Heard]:
        """Return the datagrams that wait, at most 64."""
        heard: list[Heard] = []
        with contextlib.suppress(OSError):
            while len(heard) < _AT_ONCE:
                heard.append(self._receive())
        return heard

    def _receive(self) -> Heard:
        packet = self._socket.recv(_LARGEST)
        try:
            return decode_packet(packet)
        except MalformedAdvertisement as wrong:
            return wrong

    def send(self, datagram: Datagram) -> bool:
        """Send one datagram; False if the kernel would not."""
        flags = socket.MSG_DONTROUTE if datagram.destination.is_multicast else 0
        try:
            self._send(datagram, flags)
        except OSError:
            return False
        return True

    def _send(self, datagram: Datagram, flags: int) -> None:
        self._socket.sendto(encode_packet(datagram), flags, (str(datagram.destination), 0))

    def close(self) -> None:
        """Leave the group."""
        self._socket.close()


def join(joining: socket.socket, level: int, option: int, request: bytes) -> None:
    """Join a group: unlike `socket.setsockopt`, without the interpreter's lock while it waits."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setsockopt(joining.fileno(), level, option, request, len(request)) != 0:
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

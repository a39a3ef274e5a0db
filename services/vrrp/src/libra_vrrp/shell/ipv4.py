"""VRRP over IPv4 (ip(7), raw(7)): the header is ours, so that the source is."""

import socket
import struct
from typing import Final

from libra_vrrp.codec import (
    GROUP,
    IPV4,
    Datagram,
    MalformedAdvertisement,
    decode_packet,
    encode_packet,
)
from libra_vrrp.orders import Channel, Multicast, Unicast
from libra_vrrp.shell.wire import LARGEST, Heard, Wire, join, raw_socket

_IP_FREEBIND: Final = 15
_IP_MULTICAST_ALL: Final = 49


def _open(channel: Channel, index: int) -> socket.socket:
    raw = raw_socket(socket.AF_INET)
    try:
        raw.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
        match channel:
            case Multicast(interface=name):
                _hear_group(raw, name, index)
            case Unicast(source=source):
                raw.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
                raw.bind((str(source), 0))
    except OSError:
        raw.close()
        raise
    return raw


def _hear_group(raw: socket.socket, name: str, index: int) -> None:
    """Hear the group, and what is said to us alone, on one interface."""
    request = struct.pack("=4s4si", GROUP[IPV4].packed, bytes(4), index)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
    raw.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, request)
    join(raw, socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)


def _take(raw: socket.socket) -> Heard:
    packet = raw.recv(LARGEST)
    try:
        return decode_packet(packet)
    except MalformedAdvertisement as wrong:
        return wrong


def _put(raw: socket.socket, datagram: Datagram, flags: int) -> None:
    raw.sendto(encode_packet(datagram), flags, (str(datagram.destination), 0))


WIRE: Final = Wire(_open, _take, _put)

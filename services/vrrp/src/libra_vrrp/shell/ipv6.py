"""VRRP over IPv6 (ipv6(7), RFC 3542): the kernel makes the header, and tells of it beside.

The checksum is ours (IPV6_CHECKSUM stays off), so that a wrong one is counted and not just gone.
"""

import socket
import struct
from ipaddress import IPv6Address
from typing import Final

from libra_vrrp.codec import GROUP, IPV6, Datagram, MalformedAdvertisement, Reason
from libra_vrrp.codec.packet import TOS_NETWORK_CONTROL
from libra_vrrp.orders import Channel, Multicast, Unicast
from libra_vrrp.shell.wire import LARGEST, Heard, Wire, join, raw_socket

_MULTICAST_ALL: Final = 29
_FREEBIND: Final = 78
_PACKET_INFO: Final = struct.Struct("=16si")
_REQUEST: Final = struct.Struct("=16si")
_INT: Final = struct.Struct("=i")
_BESIDE: Final = socket.CMSG_SPACE(_PACKET_INFO.size) + socket.CMSG_SPACE(_INT.size)
_LEVEL: Final = socket.IPPROTO_IPV6


def _open(channel: Channel, index: int) -> socket.socket:
    raw = raw_socket(socket.AF_INET6)
    try:
        for option, value in (
            (_MULTICAST_ALL, 0),
            (socket.IPV6_MULTICAST_LOOP, 0),
            (socket.IPV6_TCLASS, TOS_NETWORK_CONTROL),
            (socket.IPV6_RECVHOPLIMIT, 1),
            (socket.IPV6_RECVPKTINFO, 1),
        ):
            raw.setsockopt(_LEVEL, option, value)
        match channel:
            case Multicast(interface=name):
                _hear_group(raw, name, index)
            case Unicast(source=source):
                raw.setsockopt(_LEVEL, _FREEBIND, 1)
                raw.bind((str(source), 0))
    except OSError:
        raw.close()
        raise
    return raw


def _hear_group(raw: socket.socket, name: str, index: int) -> None:
    """Hear the group, and what is said to us alone, on one interface."""
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
    raw.setsockopt(_LEVEL, socket.IPV6_MULTICAST_IF, index)
    join(raw, _LEVEL, socket.IPV6_JOIN_GROUP, _REQUEST.pack(GROUP[IPV6].packed, index))


def _take(raw: socket.socket) -> Heard:
    message, beside, _, sender = raw.recvmsg(LARGEST, _BESIDE)
    told = {kind: data for level, kind, data in beside if level == _LEVEL}
    try:
        packed, _ = _PACKET_INFO.unpack(told[socket.IPV6_PKTINFO])
        (hops,) = _INT.unpack(told[socket.IPV6_HOPLIMIT])
    except (KeyError, struct.error) as wrong:
        return MalformedAdvertisement(Reason.HEADER, f"without hop limit or destination: {wrong!r}")
    source = IPv6Address(str(sender[0]).partition("%")[0])
    return Datagram(source, IPv6Address(packed), message, hops)


def _put(raw: socket.socket, datagram: Datagram, flags: int) -> None:
    beside = [
        (_LEVEL, socket.IPV6_PKTINFO, _PACKET_INFO.pack(datagram.source.packed, 0)),
        (_LEVEL, socket.IPV6_HOPLIMIT, _INT.pack(datagram.hops)),
    ]
    raw.sendmsg([datagram.message], beside, flags, (str(datagram.destination), 0))


WIRE: Final = Wire(_open, _take, _put)

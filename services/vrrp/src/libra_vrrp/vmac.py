"""The virtual router's own MAC address, and the frames that bear it (RFC 9568 section 7.3).

One rule: only what a master says bears it, for the network learns from it where the master is.
"""

import struct
from dataclasses import dataclass
from typing import Final

from libra_vrrp.codec import IPV4, Datagram
from libra_vrrp.codec.packet import whole_packet

VIRTUAL: Final = {4: bytes.fromhex("00005e0001"), 6: bytes.fromhex("00005e0002")}
"""What the MAC address of every virtual router begins with, by IP version; the vrid ends it."""

_ETHERNET: Final = struct.Struct("!6s6sH")
_ETHERTYPE: Final = {4: 0x0800, 6: 0x86DD}
PRIORITY: Final = slice(2, 3)
"""Where a message of either version says its priority (RFC 9568 section 5.1)."""


@dataclass(frozen=True, slots=True)
class Vmac:
    """The interface `name` bears the virtual MAC; with `xmit_base` adverts come from its parent."""

    name: str
    xmit_base: bool = False


def virtual_mac(family: int, vrid: int) -> bytes:
    """Return the MAC address of a virtual router of an IP version (4 or 6)."""
    return VIRTUAL[family] + bytes([vrid])


def bears(datagram: Datagram, *, master: bool) -> bool:
    """Say whether a datagram is a master's to the group: one that gives up says priority 0."""
    is_masters = master or datagram.message[PRIORITY] == b"\0"
    return is_masters and datagram.destination.is_multicast


def frame(datagram: Datagram, mac: bytes) -> bytes:
    """Return the Ethernet frame to a group (RFC 1112 section 6.4, RFC 2464 section 7)."""
    packed, version = datagram.destination.packed, datagram.destination.version
    low = b"\x01\x00\x5e" + bytes([packed[1] & 0x7F]) + packed[2:]
    group = low if version == IPV4 else b"\x33\x33" + packed[-4:]
    return _ETHERNET.pack(group, mac, _ETHERTYPE[version]) + whole_packet(datagram)

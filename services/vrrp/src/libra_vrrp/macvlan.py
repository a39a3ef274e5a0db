"""The part of rtnetlink that virtual MAC interfaces need (linux/if_link.h), as bytes.

One rule: every request names one interface, and what it says of it is all that is changed.
"""

import struct
from typing import Final

from libra_vrrp.netlink import ACK, CREATE, EXCLUSIVE, REQUEST, attribute, message

GROUP: Final = 112
"""The interface group that tells ours apart (`ip link show group 112`): VRRP's protocol number."""

_LINK: Final = struct.Struct("=BxHiII")
_NEW_LINK, _DEL_LINK = 16, 17
_ADDRESS, _NAME, _PARENT, _INFO, _AF_SPEC, _GROUP = 1, 3, 5, 18, 26, 27
_KIND, _DATA, _MODE, _BRIDGE = 1, 2, 1, 4
_AF_INET6, _ADDR_GEN_MODE, _NONE = 10, 8, 1
_UP: Final = 0x1


def make(sequence: int, what: tuple[str, int, bytes]) -> bytes:
    """Return the request for a macvlan, down: its name, its parent's index and its MAC address.

    In bridge mode what another master says from the same MAC is heard on the parent too; in
    private mode it would be heard on the macvlan alone (macvlan_handle_frame, drivers/net).
    """
    name, parent, mac = what
    mode = attribute(_DATA, attribute(_MODE, struct.pack("=I", _BRIDGE)))
    body = _LINK.pack(0, 0, 0, 0, 0)
    body += attribute(_PARENT, struct.pack("=I", parent)) + attribute(_ADDRESS, mac)
    body += attribute(_NAME, name.encode() + b"\0") + attribute(_GROUP, struct.pack("=I", GROUP))
    body += attribute(_INFO, attribute(_KIND, b"macvlan") + mode)
    return message(_NEW_LINK, REQUEST | ACK | CREATE | EXCLUSIVE, sequence, body)


def quieten(sequence: int, index: int) -> bytes:
    """Return the request that an interface get no link-local address of its own."""
    spec = attribute(_AF_INET6, attribute(_ADDR_GEN_MODE, bytes([_NONE])))
    body = _LINK.pack(0, 0, index, 0, 0) + attribute(_AF_SPEC, spec)
    return message(_NEW_LINK, REQUEST | ACK, sequence, body)


def up(sequence: int, index: int) -> bytes:
    """Return the request to set an interface up."""
    return message(_NEW_LINK, REQUEST | ACK, sequence, _LINK.pack(0, 0, index, _UP, _UP))


def down(sequence: int, index: int) -> bytes:
    """Return the request to set an interface down: nothing leaves it on that occasion."""
    return message(_NEW_LINK, REQUEST | ACK, sequence, _LINK.pack(0, 0, index, 0, _UP))


def remove(sequence: int, index: int) -> bytes:
    """Return the request to remove an interface."""
    return message(_DEL_LINK, REQUEST | ACK, sequence, _LINK.pack(0, 0, index, 0, 0))

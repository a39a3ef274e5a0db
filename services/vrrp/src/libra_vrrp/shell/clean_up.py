"""What is done in place of a dead machine: its addresses removed, its last words said.

Every socket is open before it is needed.
"""

import contextlib
import socket
import struct
from ipaddress import ip_address
from typing import Final

from libra_vrrp import macvlan, routing, rtnetlink
from libra_vrrp.guarding import HandOver, LastWord
from libra_vrrp.rtnetlink import AddressHeld, Answered, Said, Target
from libra_vrrp.shell.questions import Questions
from libra_vrrp.shell.say import log
from libra_vrrp.shell.wire import CONTROL

_LARGEST: Final = 1 << 17
ATTEMPTS: Final = 2
_PATIENCE: Final = 5.0
_IP_PKTINFO: Final = 8
_PACKET_INFO: Final = struct.Struct("=i4s4s")
"""struct in_pktinfo: the interface to send from (ip(7))."""


class CleanUp:
    """Made before it is needed; making it raises `OSError` where raw sockets are not allowed."""

    def __init__(self) -> None:
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        self._raw = socket.socket(socket.AF_INET, kind, socket.IPPROTO_RAW)
        self._raw.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, CONTROL)
        self._raw.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        self._raw6: socket.socket | None = None
        with contextlib.suppress(OSError):  # a host without IPv6
            self._raw6 = socket.socket(socket.AF_INET6, kind, socket.IPPROTO_RAW)
            self._raw6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        self._netlink = _netlink()
        self._questions = Questions()
        self._sequence = 0

    def perform(self, hand_over: HandOver) -> None:
        """Remove the addresses before all is said, so that nobody takes over what is still held.

        It raises nothing: what cannot be removed is logged, and said to be given up all the same.
        Routes and rules are in nobody's way, so they come last.
        """
        self._questions.ask(macvlan.down, hand_over.vmacs)
        for _ in range(ATTEMPTS if hand_over.targets else 0):
            try:
                self._remove(hand_over.targets)
                break
            except OSError as wrong:
                log("addresses may be left to the end of their lease", "error", why=str(wrong))
                self._reopen()
        for word in hand_over.words:
            self._say(word)
        self._questions.ask(routing.delete, hand_over.entries[::-1])

    def _reopen(self) -> None:
        """Leave late answers behind with their socket; where there can be no other, keep it."""
        with contextlib.suppress(OSError):
            fresh = _netlink()
            self._netlink.close()
            self._netlink = fresh

    def _remove(self, targets: tuple[Target, ...]) -> None:
        """Remove those that are leased; what the host holds for ever, or otherwise, is its own."""
        families = {_family(target.address.version) for target in targets}
        leased = {(one.index, one.address, one.prefix) for f in families for one in self._leased(f)}
        for target in targets:
            if (target.index, target.address, target.length) in leased:
                number = self._number()
                self._ask(rtnetlink.delete_address(number, target), number)

    def _leased(self, family: int) -> list[AddressHeld]:
        number = self._number()
        listed = self._ask(rtnetlink.list_addresses(number, family), number)
        held = [one for one in listed if isinstance(one, AddressHeld)]
        return [one for one in held if one.valid is not None]

    def _ask(self, request: bytes, number: int) -> list[Said]:
        found: list[Said] = []
        self._netlink.send(request)
        while not any(isinstance(one, Answered) and one.sequence == number for one in found):
            found.extend(rtnetlink.decode(self._netlink.recv(_LARGEST)))
        return found

    def _number(self) -> int:
        self._sequence += 1
        return self._sequence

    def _say(self, word: LastWord) -> None:
        """Send one packet; whoever does not hear it waits for three intervals."""
        to = ip_address(word.destination)
        flags = socket.MSG_DONTROUTE if to.is_multicast else 0
        with contextlib.suppress(OSError):
            if to.version == 4:  # noqa: PLR2004 - IPv4
                info = _PACKET_INFO.pack(word.index, bytes(4), bytes(4))
                ancillary = [(socket.IPPROTO_IP, _IP_PKTINFO, info)]
                self._raw.sendmsg([word.packet], ancillary, flags, (word.destination, 0))
            elif self._raw6 is not None:
                self._raw6.sendto(word.packet, flags, (word.destination, 0, 0, word.index))


def _family(version: int) -> int:
    return socket.AF_INET if version == 4 else socket.AF_INET6  # noqa: PLR2004 - IPv4


def _netlink() -> socket.socket:
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    netlink = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
    netlink.bind((0, 0))
    netlink.settimeout(_PATIENCE)
    return netlink

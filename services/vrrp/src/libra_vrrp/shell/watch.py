"""The rtnetlink socket that tells of interfaces and addresses as they change."""

import contextlib
import errno
import socket
from collections.abc import Callable
from typing import Final

from libra_vrrp import rtnetlink
from libra_vrrp.interfaces import Interfaces, fold
from libra_vrrp.rtnetlink import AddressGone, AddressHeld, Answered, IpAddress, Said

_LARGEST: Final = 1 << 17
_RECEIVE_BUFFER: Final = 1 << 20
_PATIENCE: Final = 5.0


class Watch:
    """What the kernel's interfaces are; `read` keeps `interfaces` up to date."""

    def __init__(self) -> None:
        self.interfaces = Interfaces()
        self._socket = self._listen()

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._socket.fileno()

    def read(self, closing: Callable[[], object]) -> frozenset[IpAddress] | None:
        """Take in what waits; return the leased addresses it is about, None if about more.

        After an overrun everything is listed anew on another socket; `closing` is called before
        the old one goes.
        """
        said: list[Said] = []
        try:
            while True:
                said.extend(rtnetlink.decode(self._socket.recv(_LARGEST)))
        except BlockingIOError:
            self.interfaces = fold(self.interfaces, said)
            return _leased(said)
        except OSError as lost:
            if lost.errno != errno.ENOBUFS:
                raise
            closing()
            self._socket.close()
            self._socket = self._listen()
        return None

    def _listen(self) -> socket.socket:
        """Subscribe first and list then, so that no change falls between."""
        netlink = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
        )
        netlink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        netlink.bind((0, rtnetlink.GROUP_LINK | rtnetlink.GROUP_IPV4_ADDRESS))
        netlink.settimeout(_PATIENCE)
        known = Interfaces()
        for sequence, request in ((1, rtnetlink.list_links(1)), (2, rtnetlink.list_addresses(2))):
            netlink.send(request)
            finished = False
            while not finished:
                said = list(rtnetlink.decode(netlink.recv(_LARGEST)))
                known = fold(known, said)
                finished = any(isinstance(s, Answered) and s.sequence == sequence for s in said)
        netlink.setblocking(False)
        self.interfaces = known
        return netlink

    def close(self) -> None:
        """Close the socket."""
        with contextlib.suppress(OSError):
            self._socket.close()


def _leased(said: list[Said]) -> frozenset[IpAddress] | None:
    """Return the addresses that all of this is about, if it can be about leases alone."""
    found: set[IpAddress] = set()
    for one in said:
        match one:
            case AddressHeld(valid=int()):
                found.add(one.address)
            case AddressGone() if one.prefix == one.address.max_prefixlen:
                found.add(one.address)
            case _:
                return None
    return frozenset(found)

"""The rtnetlink socket that tells of interfaces and addresses as they change."""

import contextlib
import errno
import socket
from collections.abc import Callable
from typing import Final

from libra_vrrp import rtnetlink
from libra_vrrp.interfaces import Interfaces, fold
from libra_vrrp.rtnetlink import AddressGone, AddressHeld, Answered, IpAddress, Said
from libra_vrrp.shell.aside import Aside
from libra_vrrp.shell.say import log

_LARGEST: Final = 1 << 17
_RECEIVE_BUFFER: Final = 1 << 22
_SO_RCVBUFFORCE: Final = 33
_PATIENCE: Final = 5.0
_GROUPS: Final = rtnetlink.GROUP_LINK | rtnetlink.GROUP_IPV4_ADDRESS | rtnetlink.GROUP_IPV6_ADDRESS
_AT_ONCE: Final = 128
"""Notices taken in before the timers have their turn."""


class Watch:
    """What the kernel's interfaces are; `read` keeps `interfaces` up to date.

    After an overrun everything is listed anew, aside: a listing waits for the RTNL lock. `opened`
    and `closing` tell of each socket; until the next one is open `interfaces` stay as they were.
    """

    def __init__(
        self, aside: Aside, opened: Callable[[float], None], closing: Callable[["Watch"], None]
    ) -> None:
        self._aside = aside
        self._opened = opened
        self._closing = closing
        self._socket, self.interfaces = listen()

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._socket.fileno()

    def read(self) -> frozenset[IpAddress] | None:
        """Take in what waits; return the leased addresses it is about, None if about more."""
        said: list[Said] = []
        try:
            for _ in range(_AT_ONCE):
                said.extend(rtnetlink.decode(self._socket.recv(_LARGEST)))
        except BlockingIOError:
            pass
        except OSError as lost:
            if lost.errno != errno.ENOBUFS:
                raise
            log("the kernel said more than we could hear, listing interfaces again", "warning")
            self._closing(self)
            self._socket.close()
            self._aside.do(listen, self._listed)
            return frozenset()
        self.interfaces = fold(self.interfaces, said)
        return _leased(said)

    def _listed(self, outcome: tuple[socket.socket, Interfaces] | OSError, now: float) -> None:
        match outcome:
            case TimeoutError() | OSError(errno=errno.ENOBUFS):
                self._aside.do(listen, self._listed)
            case OSError():
                raise outcome
            case _:
                self._socket, self.interfaces = outcome
                self._opened(now)


def listen() -> tuple[socket.socket, Interfaces]:
    """Subscribe first and list then, so that no change falls between."""
    netlink = socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
    )
    try:
        for option in (socket.SO_RCVBUF, _SO_RCVBUFFORCE):
            with contextlib.suppress(PermissionError):
                netlink.setsockopt(socket.SOL_SOCKET, option, _RECEIVE_BUFFER)
        netlink.bind((0, _GROUPS))
        netlink.settimeout(_PATIENCE)
        known = _listing(netlink)
        netlink.setblocking(False)
    except OSError:
        netlink.close()
        raise
    return netlink, known


def _listing(netlink: socket.socket) -> Interfaces:
    known = Interfaces()
    requests = (
        rtnetlink.list_links(1),
        rtnetlink.list_addresses(2, rtnetlink.AF_INET),
        rtnetlink.list_addresses(3, rtnetlink.AF_INET6),
    )
    for sequence, request in enumerate(requests, 1):
        netlink.send(request)
        finished = False
        while not finished:
            said = list(rtnetlink.decode(netlink.recv(_LARGEST)))
            known = fold(known, said)
            finished = any(isinstance(s, Answered) and s.sequence == sequence for s in said)
    return known


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

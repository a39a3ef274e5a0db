"""The one socket of a check, in the clear or under TLS; it never blocks.

The one rule: every method gives the input that answers what was asked, or None while none is there
yet; `wake` then gives it later.
"""

from __future__ import annotations

import contextlib
import errno
import select
import socket
from collections.abc import Callable
from typing import Final

from libra_health.mistaken import BEGINNING
from libra_health.outcome import Reason
from libra_health.shell import sockets
from libra_health.shell.tls import Session
from libra_health.wire import (
    Connected,
    Ended,
    Input,
    PingOpened,
    Received,
    Refused,
    Target,
    UdpOpened,
    Unsecured,
)

READ_SIZE: Final = 65536
MUTE_READS: Final = 16
"""Reads of TLS in a row that may bring no answer: key updates and tickets are few."""
STRANGERS: Final = 4
"""ICMP packets that a raw socket overhears before the kernel is asked to drop them."""
EVERYTHING: Final = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET
_READABLE: Final = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
_ENDING: Final = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
_TROUBLE: Final = select.EPOLLHUP | select.EPOLLERR
_UNDER_WAY: Final = frozenset((0, errno.EINPROGRESS))
_LOCAL: Final = frozenset((errno.ENETUNREACH, errno.EINVAL, errno.EMSGSIZE))
"""What says that a packet never left this machine: the route went, or it is too big."""
_CONNECTED: Final = Connected()
_ENDED: Final = Ended()
_MUTE: Final = Unsecured(Reason.TLS, "nothing but TLS's own messages came")


class Channel:
    """Belongs to one attempt; `enrol(fd)` adds a socket to the epoll.

    `beginning`: what came first, in the clear.
    `is_reusable`: the socket stood in a connection that ends by RST, and may stand in others.
    """

    __slots__ = (
        "_aborts",
        "_connecting",
        "_ending",
        "_enrol",
        "_is_stream",
        "_readable",
        "_session",
        "_shaking",
        "_strangers",
        "_token",
        "_unsent",
        "_waiting",
        "beginning",
        "is_reusable",
        "sock",
    )

    def __init__(self, enrol: Callable[[int], None]) -> None:
        self.sock: socket.socket | None = None
        self._enrol = enrol
        self._session: Session | None = None
        self._unsent = self.beginning = self._token = b""
        self._strangers = 0
        self._connecting = self._shaking = self._waiting = False
        self._readable = self._ending = self._is_stream = self._aborts = self.is_reusable = False

    def connect(
        self, target: Target, *, abort: bool, spare: socket.socket | None = None
    ) -> Input | None:
        """Begin a TCP connection, by a socket that is there or a new one; answered by `wake`."""
        try:
            self.sock = sock = spare or sockets.stream(target, abort=abort)
            number = sock.connect_ex((target.address, target.port))
        except OSError as error:
            return _refused(error, immediate=True)
        if number not in _UNDER_WAY:
            return Refused(number, immediate=True)
        self._connecting = self._is_stream = True
        self._aborts = abort and sockets.serves_others(target)
        self._enrol(sock.fileno())
        return None

    def open_udp(self, target: Target) -> Input:
        """Open a UDP socket."""
        try:
            self.sock = sockets.datagram(target)
        except OSError as error:
            return _refused(error, immediate=True)
        self._enrol(self.sock.fileno())
        return UdpOpened()

    def open_ping(self, target: Target, token: bytes) -> Input:
        """Open an echo socket."""
        try:
            self.sock, is_raw = sockets.ping(target)
        except OSError as error:
            return _refused(error, immediate=True)
        self._token = token if is_raw else b""
        self._enrol(self.sock.fileno())
        return PingOpened(is_raw)

    def secure(self, session: Session) -> Input | None:
        """Speak TLS from now on, beginning with the handshake."""
        self._session, self._shaking = session, True
        return self._shake(session)

    def wake(self, mask: int) -> Input | None:
        """Take note of what epoll said."""
        if mask & _READABLE:
            self._readable = True
        if mask & _ENDING:
            self._ending = True
        if self._connecting:
            return self._connected(mask)
        if self._unsent and (refused := self._flush(b"")) is not None:
            return refused
        if self._shaking and self._session is not None:
            return self._shake(self._session)
        return self.receive() if self._waiting and self._readable else None

    def send(self, data: bytes) -> Input | None:
        """Send all of `data`, what cannot go at once later; None unless that fails."""
        if self._session is None:
            return self._flush(data)
        unsaid = self._session.write(data)
        return unsaid or self._flush(self._session.outgoing.read())

    def receive(self) -> Input | None:
        """Read what is there, else wait for it."""
        self._waiting = True
        session = self._session
        found = self._read() if session is None else self._carry(session, session.read)
        if found is None:
            return None
        self._waiting = False
        if isinstance(found, bytes):
            if self._is_stream and not self.beginning:
                self.beginning = found[:BEGINNING]
            if self._token:
                self._overhear()
            return Received(found) if found or not self._is_stream else _ENDED
        return found

    def _overhear(self) -> None:
        """Have the kernel drop the rest once strangers are many: the answer is mostly first."""
        assert self.sock is not None  # noqa: S101  it has just been read
        self._strangers += 1
        if self._strangers == STRANGERS:
            with contextlib.suppress(OSError):  # all is heard on, as it was
                sockets.hear_only(self.sock, self._token)

    def _connected(self, mask: int) -> Input | None:
        assert self.sock is not None  # noqa: S101  epoll speaks only of an open socket
        if mask & _TROUBLE:
            number = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                return Refused(number, immediate=False)
        elif not mask & select.EPOLLOUT:
            return None
        self._connecting, self.is_reusable = False, self._aborts
        return _CONNECTED

    def _shake(self, session: Session) -> Input | None:
        found = self._carry(session, session.shake)
        self._shaking = found is None
        return found

    def _carry(self, session: Session, told: Callable[[], Input | None]) -> Input | None:
        """Carry what TLS sends and what comes to it until `told` has an answer."""
        for _ in range(MUTE_READS):
            found = told()
            refused = self._flush(session.outgoing.read())
            if found is not None:
                return found
            data = refused or self._read()
            if data is None or isinstance(data, Refused):
                return data
            session.feed(data)
        return _MUTE

    def _flush(self, data: bytes) -> Refused | None:
        assert self.sock is not None  # noqa: S101  a machine sends only on what it opened
        data = self._unsent + data
        if not data and self._is_stream:
            return None
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            return _refused(error, immediate=error.errno in _LOCAL)
        self._unsent = data[sent:]
        return None

    def _read(self) -> bytes | Refused | None:
        """Read once; a stream's short read means drained unless it is ending (epoll(7), Q9)."""
        assert self.sock is not None  # noqa: S101  a machine reads only what it opened
        if not self._readable:
            return None
        try:
            data = self.sock.recv(READ_SIZE)
        except BlockingIOError:
            self._readable = False
            return None
        except OSError as error:
            return _refused(error, immediate=False)
        if self._is_stream and len(data) < READ_SIZE and not self._ending:
            self._readable = False
        return data


def _refused(error: OSError, *, immediate: bool) -> Refused:
    return Refused(error.errno or errno.EIO, immediate)

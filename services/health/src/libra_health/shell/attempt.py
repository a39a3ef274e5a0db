"""One check under way: a pure machine, its socket, and what the socket last said.

The one rule: an `Attempt` reports exactly one outcome, and after it owns nothing.
"""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Callable
from typing import Final, TypeAlias, assert_never

from libra_health import checks
from libra_health.outcome import Outcome
from libra_health.probes import Probe
from libra_health.shell import sockets
from libra_health.wire import (
    Connect,
    Connected,
    DeadlineReached,
    Effects,
    Ended,
    Input,
    OpenPing,
    PingOpened,
    Receive,
    Received,
    Refused,
    Search,
    Searched,
    Send,
    Target,
)

READ_SIZE: Final = 65536
_ALL: Final = select.EPOLLIN | select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET
_READABLE: Final = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
_ENDING: Final = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
_TROUBLE: Final = select.EPOLLHUP | select.EPOLLERR
_UNDER_WAY: Final = frozenset((0, errno.EINPROGRESS))
_CONNECTED: Final = Connected()
_ENDED: Final = Ended()

Register: TypeAlias = Callable[[int, int], None]
Look: TypeAlias = Callable[[Search], Searched]


class Attempt:
    """Drives one run of one probe; every method returns the outcome once there is one.

    `register(fd, mask)` adds the socket to the epoll; closing removes it. `look` matches a
    costly pattern within a bound.
    """

    __slots__ = (
        "_connecting",
        "_ending",
        "_is_stream",
        "_look",
        "_readable",
        "_register",
        "_state",
        "_unsent",
        "_waiting",
        "fd",
        "sock",
    )

    def __init__(self, register: Register, look: Look) -> None:
        self.sock: socket.socket | None = None
        self.fd = -1
        self._register = register
        self._look = look
        self._unsent = b""
        self._connecting = self._waiting = self._readable = self._ending = self._is_stream = False

    def start(self, probe: Probe, now: float) -> Outcome | None:
        """Begin; `now` in monotonic seconds."""
        self._state, effects = checks.start(probe.target, probe.spec, now)
        return self._perform(effects, now)

    def wake(self, mask: int, now: float) -> Outcome | None:
        """Take note of what epoll said."""
        if mask & _READABLE:
            self._readable = True
        if mask & _ENDING:
            self._ending = True
        if self._connecting:
            return self._connected(mask, now)
        if self._unsent and (outcome := self._send(b"", now)) is not None:
            return outcome
        return self._receive(now) if self._waiting and self._readable else None

    def expire(self, now: float) -> Outcome | None:
        """Tell the machine that its time is over."""
        return self._tell(DeadlineReached(), now)

    def close(self) -> None:
        """Give everything back."""
        if self.sock is not None:
            self.sock.close()
            self.sock = None

    def _tell(self, event: Input, now: float) -> Outcome | None:
        self._state, result = checks.step(self._state, event, now)
        return self._perform(result, now) if isinstance(result, tuple) else result

    def _perform(self, effects: Effects, now: float) -> Outcome | None:
        outcome: Outcome | None = None
        for effect in effects:
            match effect:
                case Connect(target, abort):
                    outcome = self._connect(target, now, abort=abort)
                case Send(data):
                    outcome = self._send(data, now)
                case Receive():
                    self._waiting = True
                    outcome = self._receive(now) if self._readable else None
                case Search() as wanted:
                    outcome = self._tell(self._look(wanted), now)
                case OpenPing(target):
                    outcome = self._open_ping(target, now)
                case _:
                    assert_never(effect)
            if outcome is not None:
                break
        return outcome

    def _refuse(self, number: int, now: float, *, immediate: bool) -> Outcome | None:
        return self._tell(Refused(number, immediate), now)

    def _connect(self, target: Target, now: float, *, abort: bool) -> Outcome | None:
        try:
            self.sock = sock = sockets.stream(target, abort=abort)
            number = sock.connect_ex((target.address, target.port))
        except OSError as error:
            return self._refuse(error.errno or errno.EIO, now, immediate=True)
        if number not in _UNDER_WAY:
            return self._refuse(number, now, immediate=True)
        self._connecting = self._is_stream = True
        self._enrol(sock)
        return None

    def _open_ping(self, target: Target, now: float) -> Outcome | None:
        try:
            self.sock, is_raw = sockets.ping(target)
        except OSError as error:
            return self._refuse(error.errno or errno.EIO, now, immediate=True)
        self._enrol(self.sock)
        return self._tell(PingOpened(is_raw), now)

    def _enrol(self, sock: socket.socket) -> None:
        self.fd = sock.fileno()
        self._register(self.fd, _ALL)

    def _connected(self, mask: int, now: float) -> Outcome | None:
        assert self.sock is not None  # noqa: S101  epoll speaks only of an open socket
        if mask & _TROUBLE:
            number = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                return self._refuse(number, now, immediate=False)
        elif not mask & select.EPOLLOUT:
            return None
        self._connecting = False
        return self._tell(_CONNECTED, now)

    def _send(self, data: bytes, now: float) -> Outcome | None:
        assert self.sock is not None  # noqa: S101  a machine sends only on what it opened
        data = self._unsent + data
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            return self._refuse(error.errno or errno.EIO, now, immediate=_is_local(error))
        self._unsent = data[sent:]
        return None

    def _receive(self, now: float) -> Outcome | None:
        """Read once; a stream's short read means drained unless it is ending (epoll(7), Q9)."""
        assert self.sock is not None  # noqa: S101  a machine reads only what it opened
        try:
            data = self.sock.recv(READ_SIZE)
        except BlockingIOError:
            self._readable = False
            return None
        except OSError as error:
            return self._refuse(error.errno or errno.EIO, now, immediate=False)
        if self._is_stream and len(data) < READ_SIZE and not self._ending:
            self._readable = False
        self._waiting = False
        return self._tell(Received(data) if data else _ENDED, now)


def _is_local(error: OSError) -> bool:
    """Whether a failed send never left this machine: the route went, or the packet is too big."""
    return error.errno in {errno.ENETUNREACH, errno.EINVAL, errno.EMSGSIZE}

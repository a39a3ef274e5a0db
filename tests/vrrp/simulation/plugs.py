"""A process's sockets on the wires of the simulation: what tethers take for the kernel.

`Plugs` stands for the module `libra_vrrp.shell.tcp`, `Plug` for a socket, `Waiting` for an epoll.
"""

import errno
import os
import random
import selectors
import socket
from array import array
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Final, cast

from tests.vrrp.simulation.wires import Ear, End, Wires

from libra_vrrp.rtnetlink import IpAddress

_NUMBERS: Final = count(1000)
TCP_REPAIR: Final = 19
"""linux/tcp.h."""


class Plug:
    """A descriptor of an end; the last one that is closed ends the connection."""

    def __init__(self, plugs: "Plugs", end: End) -> None:
        self.end = end
        self.number = next(_NUMBERS)
        self.stirred: Callable[[], None] | None = None
        self._plugs = plugs
        plugs.open[self.number] = self
        end.plugged.append(self._stir)

    def dup(self, plugs: "Plugs") -> "Plug":
        """Return another one, in the hands of another process."""
        return Plug(plugs, self.end)

    def fileno(self) -> int:
        return self.number

    def getsockname(self) -> tuple[str, int]:
        return str(self.end.own), 0

    def getpeername(self) -> tuple[str, int]:
        if self.end.is_gone:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return str(self.end.other), 0

    def getsockopt(self, level: int, name: int) -> int:
        assert (level, name) == (socket.SOL_SOCKET, socket.SO_ERROR)
        error, self.end.error = self.end.error, 0
        return error

    def setsockopt(self, level: int, name: int, value: int) -> None:
        assert (level, name, value) == (socket.IPPROTO_TCP, TCP_REPAIR, 1)
        self.end.is_mute = True

    def send(self, octets: bytes) -> int:
        if self.end.is_gone or self.end.is_shut:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        self.end.put(octets)
        return len(octets)

    def recv(self, most: int) -> bytes:
        end = self.end
        if end.inbox:
            octets = bytes(end.inbox[:most])
            del end.inbox[:most]
            return octets
        if end.has_fin or end.is_shut:
            return b""
        if end.is_gone:
            error = self.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or errno.ENOTCONN
            raise OSError(error, os.strerror(error))
        raise BlockingIOError

    def shutdown(self, how: int) -> None:
        assert how == socket.SHUT_RDWR
        if self.end.is_gone:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        self.end.shut()

    def close(self) -> None:
        if self._plugs.open.pop(self.number, None) is not None:
            self.end.plugged.remove(self._stir)
            if not self.end.plugged:
                self.end.let_go()

    def is_ready(self, events: int) -> bool:
        """Say whether it can be read, or written."""
        if events == selectors.EVENT_WRITE:
            return not self.end.is_connecting
        end = self.end
        return bool(end.inbox) or end.has_fin or end.is_shut or end.is_gone

    def _stir(self) -> None:
        if self.stirred is not None:
            self.stirred()


class Listening:
    """A descriptor of a port that listens; the last one that is closed ends that."""

    def __init__(self, plugs: "Plugs", ear: Ear) -> None:
        self.ear = ear
        self.number = next(_NUMBERS)
        self.stirred: Callable[[], None] | None = None
        self._plugs = plugs
        plugs.open[self.number] = self
        ear.plugged.append(self._stir)

    def dup(self, plugs: "Plugs") -> "Listening":
        """Return another one, in the hands of another process."""
        return Listening(plugs, self.ear)

    def fileno(self) -> int:
        return self.number

    def accept(self) -> tuple[Plug, tuple[str, int]]:
        if not self.ear.waiting:
            raise BlockingIOError
        found: list[Plug] = []
        self.ear.accept(lambda end: found.append(Plug(self._plugs, end)))
        return found[0], (str(found[0].end.other), 0)

    def setsockopt(self, level: int, name: int, value: int) -> None:  # noqa: ARG002 - none is allowed
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    def shutdown(self, how: int) -> None:
        assert how == socket.SHUT_RDWR
        self.ear.shut()

    def close(self) -> None:
        if self._plugs.open.pop(self.number, None) is not None:
            self.ear.plugged.remove(self._stir)
            if not self.ear.plugged:
                self.ear.shut()

    def is_ready(self, events: int) -> bool:
        """Say whether somebody waits."""
        return events == selectors.EVENT_READ and bool(self.ear.waiting)

    def _stir(self) -> None:
        if self.stirred is not None:
            self.stirred()


class Waiting:
    """Stands for an epoll: `wake` is called when something may be ready."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._waited: dict[Plug | Listening, selectors.SelectorKey] = {}
        self._is_stirred = False

    def register(
        self, fileobj: socket.socket, events: int, data: Callable[[float], None]
    ) -> selectors.SelectorKey:
        plug = cast("Plug | Listening", fileobj)
        key = self._waited[plug] = selectors.SelectorKey(fileobj, 0, events, data)
        plug.stirred = self._stir
        self._stir()
        return key

    def unregister(self, fileobj: socket.socket) -> selectors.SelectorKey:
        plug = cast("Plug | Listening", fileobj)
        plug.stirred = None
        return self._waited.pop(plug)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:  # noqa: ARG002 - never waits
        if not self._is_stirred:
            return []
        ready = [
            (key, key.events) for plug, key in self._waited.items() if plug.is_ready(key.events)
        ]
        if ready:
            self._wake()  # like an epoll: until there is nothing left to read
        self._is_stirred = bool(ready)
        return ready

    def fileno(self) -> int:
        return 0

    def close(self) -> None:
        self._waited.clear()

    def _stir(self) -> None:
        self._is_stirred = True
        self._wake()


class Plugs:
    """The sockets of one process; `wake` is called when one of them may be ready."""

    def __init__(
        self, wires: Wires, dice: random.Random, wake: Callable[[], None] = lambda: None
    ) -> None:
        self.wires = wires
        self.open: dict[int, Plug | Listening] = {}
        self._random, self._wake = dice, wake

    def selector(self) -> Waiting:
        return Waiting(self._wake)

    def dice(self) -> float:
        return self._random.random()

    def listen(self, own: IpAddress, port: int) -> socket.socket:  # noqa: ARG002 - there is one
        return cast("socket.socket", Listening(self, Ear(self.wires, own)))

    def dial(self, own: IpAddress, other: IpAddress, port: int) -> socket.socket:  # noqa: ARG002 - likewise
        plug = Plug(self, End(self.wires, own, other))
        try:
            self.wires.dial(plug.end)
        except OSError:
            plug.close()
            raise
        return cast("socket.socket", plug)

    def tune(self, connection: socket.socket) -> None:
        """Nothing: every end asks and gives up as production has the kernel do."""

    def drop(self, connection: socket.socket) -> None:
        cast("Plug", connection).end.destroy()
        connection.close()

    def opened(self, descriptor: int) -> socket.socket:
        """Return the socket of a descriptor that was passed to this process."""
        return cast("socket.socket", self.open[descriptor])

    def close(self) -> None:
        """Close everything, as the kernel does when the process ends."""
        for plug in [*self.open.values()]:
            plug.close()


class Line:
    """The machine's line to its guard: messages, and descriptors with them, up to `MOST`."""

    MOST = 512

    def __init__(self, machine: Plugs, guard: Plugs, wake: Callable[[], None]) -> None:
        self._machine, self._guard, self._wake = machine, guard, wake
        self._waiting: deque[tuple[bytes, list[int]]] = deque()
        self.is_closed = False

    def send(self, said: bytes) -> int:
        return self._put(said, [])

    def sendmsg(self, said: list[bytes], ancillary: list[tuple[int, int, "array[int]"]]) -> int:
        """Pass a descriptor too, as `socket.send_fds` does."""
        plugs = [self._machine.open[number] for _, _, each in ancillary for number in each]
        return self._put(b"".join(said), plugs)

    def receive(self) -> tuple[bytes, list[int]] | None:
        """Return the next message; None where none waits."""
        return self._waiting.popleft() if self._waiting else None

    def _put(self, said: bytes, plugs: "list[Plug | Listening]") -> int:
        if self.is_closed:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        if len(self._waiting) >= self.MOST:
            raise BlockingIOError
        self._waiting.append((said, [plug.dup(self._guard).number for plug in plugs]))
        self._wake()
        return len(said)

"""The way into a running lab, at the side of `lab/run`: between visitors' sockets and one line.

The lab opens its end when it is ready; only then can visitors find it. Nothing here blocks: what
waits to be written is bounded by the windows of the visits.
"""

import contextlib
import os
import select
import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from libra_lab.errors import LabUnavailable
from libra_lab.frames import LINE_WINDOW, Frame, Frames, Kind
from libra_lab.places import offer

READ = 1 << 16
LAST_WORDS = 2.0


@dataclass(slots=True)
class Visitor:
    """One `lab/enter`, its frames so far and what it has yet to take."""

    sock: socket.socket
    frames: Frames = field(default_factory=Frames)
    waiting: bytearray = field(default_factory=bytearray)


class Door(threading.Thread):
    """Passes frames between the lab and its visitors while its block runs.

    `incoming` and `outgoing` are the descriptors of the line; they stay the caller's.
    """

    def __init__(self, incoming: int, outgoing: int) -> None:
        super().__init__(name="door", daemon=True)
        self.incoming, self.outgoing = incoming, outgoing
        self.frames = Frames()
        self.waiting = bytearray()
        self.room = LINE_WINDOW
        self.visitors: dict[int, Visitor] = {}
        self.visits = 0
        self.listener: socket.socket | None = None
        self.path: Path | None = None
        self.stopped, self.stops = os.pipe()

    def __enter__(self) -> Self:
        os.set_blocking(self.incoming, False)
        os.set_blocking(self.outgoing, False)
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self.stops)
        self.join()
        os.close(self.stopped)

    def run(self) -> None:
        """Serve until the line or the block ends."""
        try:
            while self._turn():
                pass
        finally:
            self._close()

    def _turn(self) -> bool:
        ready = dict(self._poll().poll())
        if self.stopped in ready:
            return False
        if self.listener is not None and self.listener.fileno() in ready:
            self._admit(self.listener.accept()[0])
        for number, visitor in list(self.visitors.items()):
            events = ready.get(visitor.sock.fileno(), 0)
            if events & ~select.POLLOUT and not self._hear(number, visitor):
                self._leave(number)
            elif events & select.POLLOUT:
                self._tell(number)
        self._write()
        return self.incoming not in ready or self._read()

    def _poll(self) -> select.poll:
        wanted = {self.incoming: select.POLLIN, self.stopped: select.POLLIN}
        if self.waiting and self.room > 0:
            wanted[self.outgoing] = wanted.get(self.outgoing, 0) | select.POLLOUT
        if self.listener is not None:
            wanted[self.listener.fileno()] = select.POLLIN
        for visitor in self.visitors.values():
            out = select.POLLOUT if visitor.waiting else 0
            wanted[visitor.sock.fileno()] = select.POLLIN | out
        poll = select.poll()
        for descriptor, events in wanted.items():
            poll.register(descriptor, events)
        return poll

    def _read(self) -> bool:
        try:
            data = os.read(self.incoming, READ)
        except BlockingIOError:
            return True
        except OSError:
            return False
        for frame in self.frames.feed(data):
            if frame.kind is Kind.READY:
                self._open()
            elif frame.kind is Kind.TAKEN and not frame.visit:
                self.room += sum(frame.numbers)
            elif frame.visit in self.visitors:
                self.visitors[frame.visit].waiting += frame.encode()
                self._tell(frame.visit)
        return bool(data)

    def _write(self) -> None:
        with contextlib.suppress(OSError):  # a line that broke is seen where it is read
            while self.waiting and self.room > 0:
                written = os.write(self.outgoing, self.waiting[: self.room])
                self.room -= written
                del self.waiting[:written]

    def _open(self) -> None:
        with contextlib.suppress(LabUnavailable, OSError):  # a lab without a door is still a lab
            place, self.listener = offer()
            self.path = place.path

    def _admit(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.visits += 1
        self.visitors[self.visits] = Visitor(sock)

    def _hear(self, number: int, visitor: Visitor) -> bool:
        try:
            data = visitor.sock.recv(READ)
            for frame in visitor.frames.feed(data):
                self.waiting += Frame(number, frame.kind, frame.data).encode()
        except BlockingIOError:
            return True
        except (OSError, ValueError):
            return False
        return bool(data)

    def _tell(self, number: int) -> None:
        visitor = self.visitors[number]
        try:
            while visitor.waiting:
                del visitor.waiting[: visitor.sock.send(visitor.waiting)]
        except BlockingIOError:
            pass
        except OSError:
            self._leave(number)

    def _leave(self, number: int) -> None:
        self.visitors.pop(number).sock.close()
        self.waiting += Frame(number, Kind.GONE).encode()

    def _close(self) -> None:
        if self.path is not None:
            self.path.unlink(missing_ok=True)
        if self.listener is not None:
            self.listener.close()
        for visitor in self.visitors.values():
            visitor.sock.settimeout(LAST_WORDS)
            with visitor.sock, contextlib.suppress(OSError):
                visitor.sock.sendall(visitor.waiting)

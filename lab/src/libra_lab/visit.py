"""One command that a visitor runs in a running lab: its process, its pipes or terminal, its end."""

import contextlib
import fcntl
import os
import select
import signal
import termios
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from libra_lab.frames import CHUNK, WINDOW, Frame, Kind
from libra_lab.order import Order

Pieces = Iterator[tuple[Kind, bytes]]


@dataclass(slots=True)
class Visit:
    """A running command. `sources` are descriptors to read, `sink` the one to write.

    `room` is how many bytes of output the visitor takes before it has to say so.
    """

    process: int
    ended: int
    sources: dict[int, Kind]
    sink: int | None
    room: int = WINDOW
    waiting: bytearray = field(default_factory=bytearray)
    no_more: bool = False
    status: int | None = None
    over: bool = False

    def wishes(self) -> dict[int, int]:
        """Return which descriptors are to be watched for what (poll(2))."""
        wanted: dict[int, int] = {}
        if self.status is None:
            wanted[self.ended] = select.POLLIN
        if self.room > 0:
            wanted |= dict.fromkeys(self.sources, select.POLLIN)
        if self.sink is not None and self.waiting:
            wanted[self.sink] = wanted.get(self.sink, 0) | select.POLLOUT
        return wanted

    def hear(self, frame: Frame) -> None:
        """Take a frame of the visitor."""
        match frame.kind:
            case Kind.INPUT:
                self.waiting += frame.data
                self.no_more |= not frame.data
            case Kind.TAKEN:
                self.room += sum(frame.numbers)
            case Kind.SIGNAL:
                self._signal(frame.numbers[0])
            case Kind.SIZE if self.sink is not None:
                with contextlib.suppress(OSError, termios.error):
                    termios.tcsetwinsize(self.sink, frame.size)
            case Kind.GONE:
                self._signal(signal.SIGHUP)
                self.close()
            case _:
                pass

    def move(self) -> Pieces:
        """Move what can be moved without waiting; yield what the visitor is to be told.

        The command's end is told after all that it wrote; what it left running is not waited for.
        """
        if self.status is None:
            process, code = os.waitpid(self.process, os.WNOHANG)
            if process:
                code = os.waitstatus_to_exitcode(code)
                self.status = code if code >= 0 else 128 - code
        yield from self._read()
        yield from self._write()
        if self.status is not None and self.room > 0:
            self.over = True
            yield Kind.EXIT, str(self.status).encode()

    def close(self) -> None:
        """Let go of every descriptor; a terminal hangs up."""
        for descriptor in {self.ended, *self.sources, *filter(None, [self.sink])}:
            os.close(descriptor)

    def _signal(self, number: int) -> None:
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process, number)

    def _read(self) -> Pieces:
        for source, kind in list(self.sources.items()):
            while self.room > 0:
                try:
                    data = os.read(source, min(CHUNK, self.room))
                except BlockingIOError:
                    break
                except OSError:  # nobody holds the terminal any more
                    data = b""
                if not data:
                    self._forget(source)
                    break
                self.room -= len(data)
                yield kind, data

    def _forget(self, source: int) -> None:
        del self.sources[source]
        if source != self.sink:
            os.close(source)

    def _write(self) -> Pieces:
        if self.sink is None:
            return
        taken = 0
        try:
            while self.waiting:
                written = os.write(self.sink, self.waiting)
                taken += written
                del self.waiting[:written]
        except BlockingIOError:
            pass
        except OSError:  # the command reads no more
            taken += len(self.waiting)
            self.waiting.clear()
        if taken:
            yield Kind.TAKEN, str(taken).encode()
        if self.no_more and not self.waiting and self.sink not in self.sources:
            os.close(self.sink)
            self.sink = None


def started(order: Order, body: Callable[[tuple[int, int, int]], None]) -> Visit:
    """Start `body` as a process of a session of its own, on a terminal if the visitor has one."""
    if order.terminal:
        ours, theirs = os.openpty()
        termios.tcsetwinsize(theirs, order.size)
        given, sources, sink = (theirs, theirs, theirs), {ours: Kind.OUTPUT}, ours
    else:
        (read, sink), (out, out_in), (err, err_in) = os.pipe(), os.pipe(), os.pipe()
        given, sources = (read, out_in, err_in), {out: Kind.OUTPUT, err: Kind.ERRORS}
    process = os.fork()
    if process == 0:
        os.setsid()
        if order.terminal:
            fcntl.ioctl(given[0], termios.TIOCSCTTY, 0)
        body(given)
    for descriptor in {*given}:
        os.close(descriptor)
    for descriptor in {*sources, sink}:
        os.set_blocking(descriptor, False)
    return Visit(process, os.pidfd_open(process), sources, sink)

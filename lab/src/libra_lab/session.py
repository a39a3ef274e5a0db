"""The caller's end of a running lab: copy its output, pass signals in, learn the exit status."""

import contextlib
import os
import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

CHUNK = 65536
GRACE = 20.0
TIMED_OUT = 124
INTERRUPTS_BEFORE_KILL = 3
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


@dataclass(slots=True)
class Session:
    """One lab as seen from outside.

    `control` reads and `orders` writes the control channel; `outputs` maps pipes out of the lab to
    our own descriptors; `kill` ends the whole lab at once; `timeout` is in seconds.
    An interrupt leaves the command all the time it wants (the third one does not); every other
    signal, and the timeout, leaves it `GRACE` seconds.
    """

    control: int
    orders: int
    outputs: dict[int, int]
    kill: Callable[[], None]
    timeout: float | None = None
    status: int | None = None
    received: bytes = b""
    started: bool = False
    signals: list[int] = field(default_factory=list)
    interrupts: int = 0
    timed_out: bool = False
    ending: bool = False
    deadline: float | None = None

    def follow(self) -> int | None:
        """Return the exit status once every channel is closed; None if the lab died without."""
        if self.timeout is not None:
            self.deadline = time.monotonic() + self.timeout
        with woken_by_signals(self.signals) as wake, selectors.DefaultSelector() as selector:
            for descriptor in (wake, self.control, *self.outputs):
                selector.register(descriptor, selectors.EVENT_READ)
            while len(selector.get_map()) > 1:
                for key, _ in selector.select(self._left()):
                    if not self._read(key.fd) and key.fd != wake:
                        selector.unregister(key.fd)
                self._forward()
                if self._left() == 0.0:
                    self._expire()
        return TIMED_OUT if self.timed_out else self.status

    def _left(self) -> float | None:
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def _read(self, descriptor: int) -> bool:
        try:
            data = os.read(descriptor, CHUNK)
        except OSError:
            return False
        if descriptor == self.control:
            self._hear(data)
        elif descriptor in self.outputs and not write_all(self.outputs[descriptor], data):
            self.outputs[descriptor] = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            self.signals.append(signal.SIGTERM)
        return bool(data)

    def _hear(self, data: bytes) -> None:
        *lines, self.received = (self.received + data).split(b"\n")
        for line in lines:
            match line.split():
                case [b"started"]:
                    self.started = True
                case [b"exit", number]:
                    self.status = int(number)
                case _:
                    pass

    def _forward(self) -> None:
        while self.signals:
            number = self.signals.pop(0)
            if not self.started:  # nobody listens yet
                self.status = 128 + number
                self.kill()
                return
            self._order(number)
            if number != signal.SIGINT:
                self._end_soon()
                continue
            self.interrupts += 1
            if self.interrupts >= INTERRUPTS_BEFORE_KILL:
                self.kill()

    def _order(self, number: int) -> None:
        with contextlib.suppress(OSError):
            os.write(self.orders, f"signal {number}\n".encode())

    def _end_soon(self) -> None:
        if not self.ending:
            self.ending = True
            self.deadline = time.monotonic() + GRACE

    def _expire(self) -> None:
        self.timed_out |= not self.started
        if self.ending or not self.started:
            self.kill()
            self.deadline = None
        else:
            self.timed_out = True
            self._order(signal.SIGTERM)
            self._end_soon()


@contextlib.contextmanager
def woken_by_signals(
    received: list[int], numbers: Iterable[signal.Signals] = FORWARDED
) -> Iterator[int]:
    """Collect signals in `received`; yield a descriptor that turns readable when one comes."""
    wake_read, wake_write = os.pipe()
    for descriptor in (wake_read, wake_write):
        os.set_blocking(descriptor, False)
    previous = signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    handlers = {
        number: signal.signal(number, lambda caught, _: received.append(caught))
        for number in numbers
    }
    try:
        yield wake_read
    finally:
        signal.set_wakeup_fd(previous)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        os.close(wake_read)
        os.close(wake_write)


def write_all(sink: int, data: bytes) -> bool:
    """Write all of `data`, waiting where the sink is slow; return False where it takes no more."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(sink, view) :]
        except BlockingIOError:
            with selectors.DefaultSelector() as selector:
                selector.register(sink, selectors.EVENT_WRITE)
                selector.select()
        except BrokenPipeError:
            return False
        except OSError as error:
            print(f"lab/run: the output cannot be written: {error.strerror}", file=sys.stderr)
            return False
    return True

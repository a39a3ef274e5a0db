"""`lab/enter`: run a command, or a shell, in a running lab, in the network of one of its nodes."""

import contextlib
import os
import select
import signal
import socket
import sys
import termios
import tty
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from libra_lab.errors import LabUnavailable
from libra_lab.frames import CHUNK, WINDOW, Frame, Frames, Kind
from libra_lab.order import Order
from libra_lab.places import choose
from libra_lab.run import FAILED, environment_for
from libra_lab.session import FORWARDED, woken_by_signals, write_all

USAGE = """usage: lab/enter [--lab ID] [NODE] [--] [COMMAND...]

Run COMMAND, or a shell, as root in a running lab, in the current directory: in the network of NODE
(a, b, client, w1, ...), or of the lab itself where none is named. `make demo KEEP=1` is such a lab.
--lab chooses among several. Exit status: the command's own; 125 if there is no such lab or node,
127 if there is no such command, 128+N after signal N.
"""
SHELL = ("bash", "--norc")
BIN = Path(__file__).resolve().parents[3] / ".venv/bin"
READ = 1 << 16
PATIENCE = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says."""

    lab: int | None = None
    node: str | None = None
    argv: tuple[str, ...] = ()


def read(words: list[str]) -> Wanted:
    """Read the command line; raise ValueError with one sentence."""
    lab = None
    if words[:1] == ["--lab"]:
        if not (words[1:2] and words[1].isdecimal()):
            raise ValueError("--lab wants the number of a lab")
        lab, words = int(words[1]), words[2:]
    if words[:1] == ["--"] or not words:
        return Wanted(lab, None, tuple(words[1:]))
    node, words = words[0], words[1:]
    if node.startswith("-"):
        raise ValueError(f"there is no option {node}; see lab/enter --help")
    return Wanted(lab, node, tuple(words[1:] if words[:1] == ["--"] else words))


def order_for(wanted: Wanted) -> Order:
    """Return the order that the command line asks for; raise LabUnavailable from nowhere."""
    environment = environment_for("", [])
    del environment["LIBRA_LAB"]  # the lab's own word counts
    environment["PATH"] += f"{os.pathsep}{BIN}"
    environment.setdefault("TERM", "dumb")
    environment["PS1"] = f"lab {wanted.node}:\\w# " if wanted.node else "lab:\\w# "
    terminal = all(os.isatty(descriptor) for descriptor in (0, 1, 2))
    argv = list(wanted.argv or SHELL)
    try:
        cwd = str(Path.cwd())
    except FileNotFoundError:
        raise LabUnavailable("this directory is gone: go to one that is there") from None
    order = Order(argv, wanted.node, cwd, environment, terminal)
    if not terminal:
        return order
    size = os.get_terminal_size(0)
    return Order(argv, wanted.node, cwd, environment, terminal, (size.lines, size.columns))


@dataclass(slots=True)
class Caller:
    """The visitor's side of one visit; `reads` says whether standard input is the command's."""

    sock: socket.socket
    reads: bool
    frames: Frames = field(default_factory=Frames)
    room: int = WINDOW
    signals: list[int] = field(default_factory=list)
    interrupts: int = 0

    def say(self, kind: Kind, data: bytes) -> None:
        """Send one frame."""
        self.sock.sendall(Frame(0, kind, data).encode())

    def follow(self) -> int:
        """Return the command's exit status; raise LabUnavailable if the lab ends before it."""
        with woken_by_signals(self.signals, (*FORWARDED, signal.SIGWINCH)) as wake:
            while True:
                poll = select.poll()
                poll.register(wake, select.POLLIN)
                poll.register(self.sock, select.POLLIN)
                if self.reads and self.room > 0:
                    poll.register(0, select.POLLIN)
                ready = dict(poll.poll())
                if wake in ready:
                    os.read(wake, CHUNK)
                status = self._signals()
                if status is None and 0 in ready:
                    self._read()
                if status is None and self.sock.fileno() in ready:
                    status = self._hear()
                if status is not None:
                    return status

    def _signals(self) -> int | None:
        while self.signals:
            number = self.signals.pop(0)
            if number == signal.SIGWINCH:
                with contextlib.suppress(OSError):
                    size = os.get_terminal_size(0)
                    self.say(Kind.SIZE, f"{size.lines} {size.columns}".encode())
                continue
            self.say(Kind.SIGNAL, str(number).encode())
            self.interrupts += 1
            if self.interrupts >= PATIENCE:
                return 128 + number
        return None

    def _read(self) -> None:
        try:
            data = os.read(0, min(CHUNK, self.room))
        except OSError:
            data = b""
        self.reads = bool(data)
        self.room -= len(data)
        self.say(Kind.INPUT, data)

    def _hear(self) -> int | None:
        try:
            data = self.sock.recv(READ)
        except ConnectionResetError:
            data = b""
        if not data:
            raise LabUnavailable("the lab ended")
        for frame in self.frames.feed(data):
            match frame.kind:
                case Kind.OUTPUT | Kind.ERRORS:
                    if not write_all(1 if frame.kind is Kind.OUTPUT else 2, frame.data):
                        return 128 + signal.SIGPIPE
                    self.say(Kind.TAKEN, str(len(frame.data)).encode())
                case Kind.TAKEN:
                    self.room += sum(frame.numbers)
                case Kind.EXIT:
                    return frame.numbers[0]
                case _:
                    pass
        return None


@contextlib.contextmanager
def raw(terminal: bool) -> Iterator[None]:  # noqa: FBT001  a fact about the caller, not a mode
    """Hand every key to the command while the block runs, if there is a terminal."""
    if not terminal:
        yield
        return
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def visit(wanted: Wanted) -> int:
    """Run what is wanted in the running lab; return its exit status, or raise LabUnavailable."""
    order = order_for(wanted)
    with choose(wanted.lab) as sock:
        caller = Caller(sock, reads=order.terminal or not os.isatty(0))
        try:
            caller.say(Kind.COMMAND, order.encode())
            with raw(order.terminal):
                return caller.follow()
        except BrokenPipeError as error:
            raise LabUnavailable("the lab ended") from error


def main(argv: list[str]) -> int:
    """Run the command line and return the exit status."""
    if argv[:1] in (["-h"], ["--help"]):
        sys.stdout.write(USAGE)
        return 0
    try:
        return visit(read(argv))
    except (LabUnavailable, ValueError) as error:
        print(f"lab/enter: {error}", file=sys.stderr)
        return FAILED

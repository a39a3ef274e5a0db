"""Frames on the way into a running lab: several commands share one line, none drowns another.

A frame is the visit it belongs to, its kind and its data. Output, and input, may run ahead of who
takes it by `WINDOW` bytes: `TAKEN` frames say how much was taken. So nobody blocks on the line.
Into the lab the line itself has a window: User-Mode Linux stops reading a console for good once
the terminal's buffer behind it (N_TTY_BUF_SIZE, 4096 bytes) was full (seen with 6.1).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

HEAD = struct.Struct(">IBI")
WINDOW = 1 << 16
LINE_WINDOW = 3072
CHUNK = 1 << 13


class Kind(IntEnum):
    """What a frame says; the first is said once by the lab, about no visit."""

    READY = 1
    COMMAND = 2  # an Order
    INPUT = 3  # empty at its end
    OUTPUT = 4
    ERRORS = 5
    TAKEN = 6  # how many bytes, decimal; of no visit: from the line
    SIGNAL = 7  # its number, decimal
    SIZE = 8  # of the terminal: rows and columns, decimal
    EXIT = 9  # the exit status, decimal
    GONE = 10  # the visitor left


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of one visit."""

    visit: int
    kind: Kind
    data: bytes = b""

    def encode(self) -> bytes:
        """Return the frame as it goes over the line."""
        return HEAD.pack(self.visit, self.kind, len(self.data)) + self.data

    @property
    def size(self) -> tuple[int, int]:
        """The data as rows and columns."""
        rows, columns = self.numbers
        return rows, columns

    @property
    def numbers(self) -> tuple[int, ...]:
        """The data as decimal numbers."""
        return tuple(int(word) for word in self.data.split())


class Frames:
    """Cuts what arrives in pieces into frames."""

    def __init__(self) -> None:
        self.received = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that `data` completes; raise ValueError for an unknown kind."""
        self.received += data
        while len(self.received) >= HEAD.size:
            visit, kind, length = HEAD.unpack_from(self.received)
            end = HEAD.size + length
            if len(self.received) < end:
                return
            body = bytes(self.received[HEAD.size : end])
            del self.received[:end]
            yield Frame(visit, Kind(kind), body)

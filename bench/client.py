"""A client that asks an address for an echo every millisecond, and how long nobody answered.

`python -m bench.client ADDRESS`: a line `begin` on standard input begins a watch, and `answered` is
said at the first echo; `end` ends it, and two numbers are said, in seconds: the longest time from a
question that nobody answered to the next one that was, and the longest between two questions, by
which the client itself may be wrong. Where it may, it goes before whatever has ordinary priority.
"""

import contextlib
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from libra_lab.node import Node

PACE = 0.001
LATE = 0.05
"""Seconds that an echo may still take when the watch ends."""
ECHO, REPLY = 8, 0


@dataclass(slots=True)
class Watch:
    """Questions by their number: when they were asked, and which were answered."""

    address: str
    word: int
    asked: list[float] = field(default_factory=list)
    answered: set[int] = field(default_factory=set)

    def gap(self) -> float:
        """Return the longest time without an answer."""
        longest, since = 0.0, None
        for number, at in enumerate(self.asked):
            if number not in self.answered:
                since = at if since is None else since
            elif since is not None:
                longest, since = max(longest, at - since), None
        return max(longest, 0.0 if since is None else self.asked[-1] - since)

    def pause(self) -> float:
        """Return the longest time between two questions."""
        return max((after - before for before, after in pairwise(self.asked)), default=0.0)

    def ask(self, raw: socket.socket, now: float) -> None:
        """Ask once more; where there is no way to do so, nobody answers."""
        head = struct.pack("!BBHHH", ECHO, 0, 0, self.word, len(self.asked) & 0xFFFF)
        summed = sum(struct.unpack("!4H", head))
        summed = ~(summed + (summed >> 16)) & 0xFFFF
        self.asked.append(now)
        with contextlib.suppress(OSError):
            raw.sendto(head[:2] + struct.pack("!H", summed) + head[4:], (self.address, 0))

    def hear(self, raw: socket.socket) -> bool:
        """Take the answers that are there; return whether one was the first."""
        had_any = bool(self.answered)
        with contextlib.suppress(BlockingIOError):
            while True:
                packet, (source, _) = raw.recvfrom(256)
                kind, _, _, word, number = struct.unpack_from("!BBHHH", packet, 20)
                if (kind, word, source) == (REPLY, self.word, self.address):
                    self.answered.add(number)
        return bool(self.answered) and not had_any


def main(address: str) -> None:
    """Obey standard input until it ends."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.setblocking(False)
        while sys.stdin.readline() == "begin\n":
            watch = Watch(address, os.getpid() & 0xFFFF)
            _ask(raw, watch)
            print(watch.gap(), watch.pause(), flush=True)


def _ask(raw: socket.socket, watch: Watch) -> None:
    """Ask and hear until the next line."""
    due, end = time.monotonic(), float("inf")
    while (now := time.monotonic()) < end + LATE:
        heard = [raw.fileno(), 0] if now < end else [raw.fileno()]
        ready = select.select(heard, [], [], max(0.0, due - now))[0]
        if raw.fileno() in ready and watch.hear(raw):
            print("answered", flush=True)
        if 0 in ready:
            sys.stdin.readline()
            end, due = now, now + LATE
        elif now >= due and now < end:
            watch.ask(raw, now)
            due = now + PACE


@dataclass(frozen=True, slots=True)
class Client:
    """A client that runs on a node."""

    process: "subprocess.Popen[str]"

    def begin(self) -> None:
        """Begin a watch; return when the address answers."""
        self._say("begin")
        if self._hear() != "answered":
            raise RuntimeError("the client of the address ended")

    def end(self) -> tuple[float, float]:
        """End the watch; return for how long nobody answered, and how long it asked nothing."""
        self._say("end")
        gap, pause = map(float, self._hear().split())
        return gap, pause

    def _say(self, word: str) -> None:
        assert self.process.stdin is not None  # noqa: S101  it is a pipe
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def _hear(self) -> str:
        assert self.process.stdout is not None  # noqa: S101  it is a pipe
        return self.process.stdout.readline().strip()


@contextmanager
def client(node: Node, address: str) -> Iterator[Client]:
    """Run this module on a node while the block runs."""

    def start() -> "subprocess.Popen[str]":
        words = [sys.executable, "-m", "bench.client", address]
        return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    with node.call(start) as process:
        try:
            yield Client(process)
        finally:
            process.terminate()


if __name__ == "__main__":
    main(sys.argv[1])

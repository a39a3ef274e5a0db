"""How late advertisements are: heard on a packet socket, by the kernel's own time stamps.

An advertisement is late by how much longer than the interval it came after the one before it: that
is what a backup's timer sees. One that follows a late one may be early, which counts as below zero.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from bench.keepalived import wait_for
from libra_lab.node import Node

ETH_P_IP = 0x0800
VRRP = 112
SO_TIMESTAMPNS = 35
_BUFFER = 1 << 22
_NANOSECONDS = 1e9
_TIME = struct.Struct("@ll")


@dataclass(slots=True)
class Heard:
    """When each virtual router has spoken, in seconds of the wall clock, in order."""

    times: dict[int, list[float]] = field(default_factory=dict)

    def during(self, since: float, until: float) -> dict[int, list[float]]:
        """Return what was said between two moments, once all of that has been heard."""
        wait_for(lambda: self._has_heard(until), 0.05, "somebody still speaks")
        return {
            vrid: [at for at in times if since <= at <= until]
            for vrid, times in dict(self.times).items()
        }

    def _has_heard(self, until: float) -> bool:
        return any(times[-1] > until for times in list(self.times.values()))


def lateness(times: Sequence[float], interval: float) -> list[float]:
    """Return by how many milliseconds more than the interval each came after the one before."""
    return [1000 * (after - before - interval) for before, after in pairwise(times)]


def quantiles(samples: Sequence[float]) -> Mapping[str, float]:
    """Return what one in two, in a hundred and in a thousand exceeds."""
    ordered = sorted(samples)
    return {
        f"p{percent:g}": ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)]
        for percent in (50, 99, 99.9)
    }


@contextmanager
def listening(node: Node, interface: str = "eth0") -> Iterator[Heard]:
    """Hear what comes in on an interface of a node while the block runs."""
    heard = Heard()

    def bind() -> socket.socket:
        frames = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        frames.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        frames.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        frames.bind((interface, ETH_P_IP))
        frames.settimeout(0.1)
        return frames

    stopping = threading.Event()
    with node.call(bind) as frames:
        thread = threading.Thread(target=_listen, args=(frames, heard, stopping), daemon=True)
        thread.start()
        try:
            yield heard
        finally:
            stopping.set()
            thread.join()


def _listen(frames: socket.socket, heard: Heard, stopping: threading.Event) -> None:
    while not stopping.is_set():
        with contextlib.suppress(TimeoutError):
            packet, told, _, _ = frames.recvmsg(2048, socket.CMSG_SPACE(_TIME.size))
            if packet[9] == VRRP:
                seconds, nanoseconds = _TIME.unpack(told[0][2])
                vrid = packet[(packet[0] & 15) * 4 + 1]
                times = heard.times.setdefault(vrid, [])
                times.append(seconds + nanoseconds / _NANOSECONDS)

"""The epoll, the bell and the clock of the driver's thread.

The one rule: what it owns is touched by its thread alone; others hand it work through `call`.
"""

from __future__ import annotations

import heapq
import math
import os
import select
import socket
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Final, TypeAlias

from libra_health.shell.channel import EVERYTHING

Wake: TypeAlias = Callable[[int, float], None]
"""Told what epoll said of a socket, and when (monotonic seconds)."""

EVENTS: Final = 1024
BEAT: Final = 0.1
"""Seconds that the loop listens at most at a time: whatever takes longer was no listening."""


class Loop:
    """Wakes whom a socket, a call or a time concerns.

    `missed`: seconds in all that nobody listened, beyond a beat each time. `is_hearing`: events
    are being told.
    """

    def __init__(self) -> None:
        self._wakes: dict[int, Wake] = {}
        self._enrolled: set[int] = set()
        self._released: list[Callable[[], None]] = []
        self.is_hearing = False
        self._heard = time.monotonic()
        self.missed = 0.0
        self._calls: deque[Callable[[], None]] = deque()
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._tokens = count(1)
        self._epoll = select.epoll()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._bell, select.EPOLLIN)

    def call(self, work: Callable[[], None]) -> None:
        """Have `work` done in the loop's thread, between events, in order; from any thread."""
        self._calls.append(work)
        os.eventfd_write(self._bell, 1)

    def call_at(self, when: float, work: Callable[[], None]) -> None:
        """Have `work` done at `when` (monotonic seconds)."""
        heapq.heappush(self._later, (when, next(self._tokens), work))

    def enrol(self, wake: Wake, fd: int) -> None:
        """Have `wake` told of all that happens to a socket."""
        self._wakes[fd] = wake
        if fd not in self._enrolled:
            self._epoll.register(fd, EVERYTHING)
            self._enrolled.add(fd)

    def close(self, sock: socket.socket) -> None:
        """Close a socket once no event of it is on its way any more."""
        self._enrolled.discard(sock.fileno())
        self.release(sock.fileno(), sock.close)

    def release(self, fd: int, work: Callable[[], None]) -> None:
        """Tell nobody of a socket any more; do `work` once no event of it is on its way."""
        self._wakes.pop(fd, None)
        if self.is_hearing:
            self._released.append(work)
        else:
            work()

    @property
    def due(self) -> float:
        """When the next work is to be done that `call_at` was given; infinite without any."""
        return self._later[0][0] if self._later else math.inf

    def serve(self, now: float) -> None:
        """Do the work whose time has come; what that asks for is done at the next turn."""
        due = []
        while self._later and self._later[0][0] <= now:
            due.append(heapq.heappop(self._later)[2])
        for work in due:
            work()

    def hear(self, wait: float) -> int:
        """Serve what the sockets say, waiting for `wait` seconds, a beat at most; count them.

        What is closed meanwhile keeps its number until the end: no event of this batch can be
        taken for one of a newer socket.
        """
        events = self._epoll.poll(min(wait, BEAT), EVENTS)
        now = time.monotonic()
        self.missed += max(0.0, now - self._heard - BEAT)
        self._heard = now
        self.is_hearing = True
        for fd, mask in events:
            wake = self._wakes.get(fd)
            if wake is not None:
                wake(mask, now)
            elif fd == self._bell:
                self._answer()
        self.is_hearing = False
        for work in self._released:
            work()
        self._released.clear()
        return len(events)

    def leave(self) -> None:
        """Close the epoll; only in the loop's thread, as the last of all."""
        self._epoll.close()

    def silence(self) -> None:
        """Close the bell, once no thread rings it any more."""
        os.close(self._bell)

    def _answer(self) -> None:
        os.eventfd_read(self._bell)
        for _ in range(len(self._calls)):  # what they call for comes after what is due by then
            self._calls.popleft()()

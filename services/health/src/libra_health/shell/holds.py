"""Keeps the holds of this node: sockets, timers and who is told; all in the driver's thread.

The one rule: probes come first. Holds take the descriptors that are left, and give theirs back.
"""

from __future__ import annotations

import errno
import random
import resource
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from math import ceil, inf
from typing import Final, TypeAlias

from libra_health.hold import machine
from libra_health.hold.wanted import Wanted
from libra_health.hold.words import (
    Condemn,
    Due,
    Effect,
    Effects,
    GiveWay,
    HangUp,
    Hurry,
    Input,
    Probed,
)
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.probes import Probe
from libra_health.shell.channel import Channel
from libra_health.shell.drive import Driver
from libra_health.shell.line import Line
from libra_health.verdict import Key
from libra_health.wire import Connect, Receive, Refused, Target

Gone: TypeAlias = Callable[[tuple[tuple[Key, int], ...], Failed, float], None]
"""Told the lookouts whose target is gone, why, and the time (monotonic seconds)."""

RESERVE: Final = 512
"""Descriptors that are left to all but probes and holds: errands, the log, metrics."""
GIVEN: Final = 64
"""Descriptors that holds give back at a time where a probe had none."""
BUFFER: Final = 4096
"""Bytes that the kernel may keep of what a server says."""
_NONE_LEFT: Final = frozenset((errno.EMFILE, errno.ENFILE))


class Holds:
    """Keeps a line to every target that is to be held."""

    def __init__(self, driver: Driver, gone: Gone) -> None:
        self.lines: dict[Target, Line] = {}
        self._driver = driver
        self._gone = gone
        self._by_probe: dict[Probe, list[Line]] = {}
        self._room = 0
        self._open = 0

    def apply(self, wanted: Iterable[Wanted]) -> None:
        """Change what is held; after the probes were changed."""
        now, before, self.lines, self._by_probe = time.monotonic(), self.lines, {}, {}
        fresh = []
        for each in wanted:
            target, every = each.hold.target, each.hold.every
            line = before.pop(target, None)
            if line is None:
                delay = every * random.random()  # noqa: S311  spreads load, hides nothing
                line = Line(each, machine.start(now, delay))
                fresh.append(line)
            line.wanted, self.lines[target] = each, line
            for probe in each.probes:
                self._by_probe.setdefault(probe, []).append(line)
        for line in before.values():
            self._retire(line)
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._room = max(0, limit - RESERVE - len(tuple(self._driver.probes)))
        for line in fresh:
            self._time(line)

    def stop(self) -> None:
        """Close everything."""
        self.apply(())

    def report(self, probe: Probe, outcome: Outcome, now: float) -> None:
        """Hear what a probe found."""
        if isinstance(outcome, Errored):
            if outcome.reason is Reason.DESCRIPTORS:
                self._give_way(now)
            return
        for line in self._by_probe.get(probe, ()):
            if line.held.unproved:
                self._tell(line, Probed(isinstance(outcome, Passed)), now)

    def states(self) -> Counter[str]:
        """Count the holds by what they are doing; from any thread."""
        return Counter(line.word for line in tuple(self.lines.values()))

    def _give_way(self, now: float) -> None:
        """Give descriptors back that a probe had none of, for as long as this config stands."""
        self._room = max(0, min(self._room, self._open) - GIVEN)
        for line in self.lines.values():
            if self._open <= self._room:
                return
            if line.channel is not None:
                line.is_withheld = True
                self._tell(line, GiveWay(), now)

    def _wake(self, line: Line, mask: int, now: float) -> None:
        event = None if line.channel is None else line.channel.wake(mask)
        if event is not None:
            self._tell(line, event, now)

    def _ring(self, line: Line, due: float) -> None:
        if not line.is_retired and line.timed == due:
            line.timed = inf
            if line.held.due == due:
                self._tell(line, Due(), time.monotonic())

    def _tell(self, line: Line, event: Input, now: float) -> None:
        """Tell the machine, and perform what it asks, until it waits."""
        pending: Input | None = event
        while pending is not None:
            line.held, effects = machine.step(line.wanted.hold, line.held, pending, now)
            pending = self._perform(line, effects, now)
        self._time(line)

    def _time(self, line: Line) -> None:
        due = line.held.due
        if due not in {inf, line.timed}:
            line.timed = due
            self._driver.call_at(due, partial(self._ring, line, due))

    def _perform(self, line: Line, effects: Effects, now: float) -> Input | None:
        for effect in effects:
            event = self._do(line, effect, now)
            if event is not None:
                return event
        return None

    def _do(self, line: Line, effect: Effect, now: float) -> Input | None:
        match effect:
            case Connect(target, abort):
                return self._connect(line, target, abort=abort)
            case Receive():
                return None if line.channel is None else line.channel.receive()
            case HangUp():
                self._hang_up(line)
            case Hurry(lasting):
                for probe in line.wanted.probes:
                    self._driver.hurry(probe, lasting)
            case Condemn(detail, observed):
                outcome = Failed(Reason.REFUSED, detail, observed)
                self._gone(line.wanted.condemns, outcome, now)
        return None

    def _connect(self, line: Line, target: Target, *, abort: bool) -> Input | None:
        if self._open >= self._room:
            line.is_withheld = True
            return Refused(errno.EMFILE, immediate=True)
        channel = Channel(partial(self._driver.loop.enrol, partial(self._wake, line)))
        event = channel.connect(target, abort=abort)
        line.is_withheld = isinstance(event, Refused) and event.errno in _NONE_LEFT
        if channel.sock is not None:
            line.channel = channel
            self._open += 1
            _tune(channel.sock, line.wanted.hold.every)
        return event

    def _hang_up(self, line: Line) -> None:
        channel, line.channel = line.channel, None
        if channel is not None and channel.sock is not None:
            self._open -= 1
            self._driver.loop.close(channel.sock)

    def _retire(self, line: Line) -> None:
        line.is_retired = True
        self._hang_up(line)


def _tune(sock: socket.socket, every: float) -> None:
    """Have the kernel ask a silent peer whether it is there, and keep little of what it says."""
    idle = min(max(1, ceil(every)), 32767)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, idle)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 3000 * idle)

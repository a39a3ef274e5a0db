"""One check under way: a pure machine, its channel, and its errand beside.

The one rule: an `Attempt` reports exactly one outcome, and after it owns nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final, assert_never

from libra_health import checks
from libra_health.errands import Done, Execute, ReadFile
from libra_health.mistaken import explained
from libra_health.outcome import Outcome
from libra_health.probes import Probe
from libra_health.shell.around import Around, Begun
from libra_health.shell.channel import Channel
from libra_health.wire import (
    Connect,
    DeadlineReached,
    Effect,
    Effects,
    Input,
    OpenPing,
    OpenUdp,
    Receive,
    Search,
    Searched,
    Send,
    StartTls,
    Tls,
    Unsecured,
)

DEADLINE: Final = DeadlineReached()
TURNS: Final = 64
"""Inputs that a check is told in a row while others wait: a block of 64 KiB or a datagram each."""

LOOKS: Final = 2
"""Matches that a run is granted at its end: of what it held, and of what came meanwhile."""


class Attempt:
    """Drives one run of one probe; every method returns the outcome once there is one.

    `enrol(fd)` adds a socket to the epoll; `told(done)` is how the end of an errand comes back to
    this attempt, by `wake_with`.
    """

    __slots__ = (
        "_around",
        "_deferred",
        "_enrol",
        "_errand",
        "_held",
        "_state",
        "_told",
        "_whose",
        "channel",
    )

    def __init__(
        self, around: Around, enrol: Callable[[int], None], told: Callable[[Input], None]
    ) -> None:
        self._around = around
        self._enrol = enrol
        self._told = told
        self._errand: Begun | None = None
        self._deferred: Input | None = None
        self._held: Search | None = None
        self.channel: Channel | None = None

    def start(self, probe: Probe, now: float) -> Outcome | None:
        """Begin; `now` in monotonic seconds."""
        self._whose = probe.target
        self._state, effects = checks.start(probe.target, probe.spec, now)
        event = self._perform(effects, now)
        return None if event is None else self.tell(event, now)

    def wake(self, mask: int, now: float) -> Outcome | None:
        """Take note of what epoll said."""
        event = self.channel.wake(mask) if self.channel is not None else None
        return None if event is None else self.tell(event, now)

    def tell(self, event: Input, now: float) -> Outcome | None:
        """Tell the machine, and perform what it asks, until it waits or ends.

        Where answers never cease the others have their turn in between, and its deadline too.
        """
        self._deferred = self._held = None
        for _ in range(TURNS):
            if self._around.trace is not None:
                self._around.trace(now, event)
            self._state, result = checks.step(self._state, event, now)
            if not isinstance(result, tuple):
                return explained(result, self.channel.beginning) if self.channel else result
            following = self._perform(result, now)
            if following is None:
                return None
            event = following
        self._deferred = event
        self._around.loop.call(partial(self._resume, event))
        return None

    def expire(self, now: float) -> Outcome | None:
        """Tell the machine that its time is over, or what of ours it waits for in vain."""
        errand, outcome = self._errand, None
        if self._held is not None:
            outcome = self._look_last(self._held, now)
        elif errand is not None and (lack := errand.lack) is not None:
            errand()
            outcome = self.tell(lack, now)
        return outcome or self.tell(DEADLINE, now)

    def close(self) -> None:
        """Give everything back."""
        self._deferred = self._held = None
        if self._errand is not None:
            self._errand()
            self._errand = None
        self._close_channel()

    def _perform(self, effects: Effects, now: float) -> Input | None:
        """Do what is asked, in order, up to what is answered at once."""
        for effect in effects:
            if self._around.trace is not None:
                self._around.trace(now, effect)
            event = self._do(effect)
            if event is not None:
                return event
        return None

    def _do(self, effect: Effect) -> Input | None:
        match effect:
            case Connect() | OpenUdp() | OpenPing():
                return self._make(effect)
            case Send(data):
                return self._open().send(data)
            case Receive():
                return self._open().receive()
            case Search():
                return self._look(effect)
            case StartTls(tls):
                return self._secure(tls)
            case ReadFile() | Execute():
                self._errand = self._around.errands.begin(effect, self._hear)
                return None
            case _:
                assert_never(effect)

    def _make(self, effect: Connect | OpenUdp | OpenPing) -> Input | None:
        """Open a channel in place of the one that there is."""
        self._close_channel()
        channel = self.channel = Channel(self._enrol)
        match effect:
            case Connect(target, abort):
                spare = self._around.spares.take(target) if abort else None
                return channel.connect(target, abort=abort, spare=spare)
            case OpenUdp(target):
                return channel.open_udp(target)
            case OpenPing(target, token):
                return channel.open_ping(target, token)
            case _:
                assert_never(effect)

    def _open(self) -> Channel:
        assert self.channel is not None  # noqa: S101  a machine speaks only on what it opened
        return self.channel

    def _secure(self, tls: Tls) -> Input | None:
        session = self._around.contexts.session(tls)
        return session if isinstance(session, Unsecured) else self._open().secure(session)

    def _close_channel(self) -> None:
        channel, self.channel = self.channel, None
        if channel is not None and channel.sock is not None:
            self._around.spares.leave(channel.sock, again=channel.is_reusable)

    def _look(self, wanted: Search) -> Searched | None:
        """Match a pattern, later where this target's answers have to wait for that."""
        answer = self._around.look(wanted, self._whose)
        if isinstance(answer, Searched):
            return answer
        self._held = wanted
        again = partial(self._look_again, wanted)
        self._around.loop.call_at(time.monotonic() + answer, again)
        return None

    def _look_again(self, wanted: Search) -> None:
        if self._held is wanted and (answer := self._look(wanted)) is not None:
            self._told(answer)

    def _look_last(self, wanted: Search, now: float) -> Outcome | None:
        """Match once more at the end, and what came meanwhile with it."""
        held: Search | None = wanted
        for _ in range(LOOKS):
            if held is None:
                break
            answer = self._around.look(held, self._whose, is_last=True)
            assert isinstance(answer, Searched)  # noqa: S101  the last time it answers
            outcome = self.tell(answer, now)
            if outcome is not None:
                return outcome
            held = self._held
        return None

    def _resume(self, event: Input) -> None:
        """Go on, unless something else ended what the event belongs to."""
        if self._deferred is event:
            self._told(event)

    def _hear(self, done: Done) -> None:
        self._errand = None
        self._told(done)

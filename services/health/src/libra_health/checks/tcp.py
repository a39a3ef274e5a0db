"""Check `tcp`: the port accepts a connection and, if asked, holds a dialogue.

The one rule: a check without a dialogue passes as soon as the handshake is done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeAlias, assert_never

from libra_health.outcome import Failed, Outcome, Passed, Reason, excerpt, from_errno, undecided
from libra_health.patterns import compiled, is_costly
from libra_health.protocols.greetings import READERS, Wrong
from libra_health.wire import (
    RECEIVE,
    Connect,
    Connected,
    DeadlineReached,
    Effects,
    Ended,
    Input,
    Received,
    Refused,
    Search,
    Searched,
    Send,
    Target,
    Unasked,
)

DIALOGUE_LIMIT: Final = 65536
"""Bytes read at most in all steps of a dialogue."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One step of a dialogue: what is sent, then what must come.

    `expect` is a pattern that must match somewhere, `reader` the name of one of READERS. With
    neither, the last step takes any answer, and an earlier one waits for none.
    """

    send: bytes = b""
    expect: str = ""
    reader: str = ""

    @property
    def waits(self) -> bool:
        """Whether something definite must come."""
        return bool(self.expect or self.reader)

    def __str__(self) -> str:
        """Say what must come."""
        return READERS[self.reader][0] if self.reader else f"/{self.expect[:80]}/"


@dataclass(frozen=True, slots=True)
class TcpSpec:
    """The dialogue held after the handshake, in order.

    `farewell` is said once it was held: what becomes of it changes nothing.
    """

    exchanges: tuple[Exchange, ...] = ()
    farewell: bytes = b""


@dataclass(frozen=True, slots=True)
class Talk:
    """How far a dialogue got.

    `heard`: what came and was used by no step; `total`: how many bytes came in all steps;
    `latency`: set once it was held.
    """

    place: int = 0
    heard: bytes = b""
    total: int = 0
    latency: float | None = None


@dataclass(frozen=True, slots=True)
class TcpState:
    """A check under way. `started` in seconds of the monotonic clock; `talk`: once connected."""

    spec: TcpSpec
    started: float
    talk: Talk | None = None


Step: TypeAlias = tuple[TcpState, Effects | Outcome]


def start(target: Target, spec: TcpSpec, now: float) -> tuple[TcpState, Effects]:
    """Begin by connecting."""
    return TcpState(spec, now), (Connect(target, abort=not spec.exchanges),)


def step(state: TcpState, event: Input, now: float) -> Step:
    """Take one input further."""
    talk = state.talk
    match event:
        case Connected():
            if not state.spec.exchanges:
                return state, Passed(now - state.started)
            return _enter(state, Talk(), b"", now)
        case Received() | Searched() | Ended() if talk is not None:
            return _talk(state, talk, event, now)
        case Refused(number, immediate):
            if talk is not None and talk.latency is not None:
                return state, Passed(talk.latency)
            return state, from_errno(number, now - state.started, immediate=immediate)
        case DeadlineReached():
            return state, _late(state, now)
        case _:
            raise Unasked("tcp", event)


def _talk(state: TcpState, talk: Talk, event: Received | Searched | Ended, now: float) -> Step:
    if talk.latency is not None:
        return state, Passed(talk.latency)
    match event:
        case Received(data):
            heard, total = talk.heard + data, talk.total + len(data)
            return _judge(state, replace(talk, heard=heard, total=total), b"", now)
        case Searched():
            return _found(state, talk, event, b"", now)
        case Ended():
            return state, _lacking(state, talk, Reason.CLOSED, "closed by the backend", now)
        case _:
            assert_never(event)


def _enter(state: TcpState, talk: Talk, unsaid: bytes, now: float) -> Step:
    """Begin the step that the dialogue has come to, or end the dialogue after the last."""
    exchanges = state.spec.exchanges
    if talk.place == len(exchanges):
        return _part(state, talk, unsaid + state.spec.farewell, now)
    exchange = exchanges[talk.place]
    unsaid += exchange.send
    if exchange.waits:
        return _judge(state, talk, unsaid, now)
    if talk.place < len(exchanges) - 1:
        return _enter(state, replace(talk, place=talk.place + 1), unsaid, now)
    return replace(state, talk=replace(talk, heard=b"")), (*_said(unsaid), *RECEIVE)


def _part(state: TcpState, talk: Talk, unsaid: bytes, now: float) -> Step:
    """Pass, with a last word where there is one; it is given the time to be heard."""
    latency = now - state.started
    if not unsaid:
        return state, Passed(latency)
    return replace(state, talk=replace(talk, latency=latency)), (Send(unsaid), *RECEIVE)


def _judge(state: TcpState, talk: Talk, unsaid: bytes, now: float) -> Step:
    """Look at what was heard so far; `unsaid` is still to be sent."""
    exchange, heard = state.spec.exchanges[talk.place], talk.heard
    if not heard:
        return _more(state, talk, unsaid, now)
    if exchange.reader:
        end = READERS[exchange.reader][1](heard)
        if isinstance(end, Wrong):
            detail = f"{_where(state, talk)}{end.detail}"
            return state, Failed(end.reason, detail, now - state.started)
        return _found(state, talk, Searched(end is not None, end=end or 0), unsaid, now)
    if is_costly(exchange.expect):
        return replace(state, talk=talk), (*_said(unsaid), Search(exchange.expect, heard))
    found = compiled(exchange.expect).search(heard)
    answer = Searched(found is not None, end=found.end() if found else 0)
    return _found(state, talk, answer, unsaid, now)


def _found(state: TcpState, talk: Talk, answer: Searched, unsaid: bytes, now: float) -> Step:
    if answer.found is None:
        expect, latency = state.spec.exchanges[talk.place].expect, now - state.started
        return state, undecided(expect, tried=answer.tried, latency=latency)
    if not answer.found:
        return _more(state, talk, unsaid, now)
    left = talk.heard[answer.end :]
    return _enter(state, replace(talk, place=talk.place + 1, heard=left), unsaid, now)


def _more(state: TcpState, talk: Talk, unsaid: bytes, now: float) -> Step:
    if talk.total >= DIALOGUE_LIMIT:
        return state, _lacking(state, talk, Reason.OVERSIZED, "too much was sent", now)
    return replace(state, talk=talk), (*_said(unsaid), *RECEIVE)


def _said(unsaid: bytes) -> tuple[Send, ...]:
    return (Send(unsaid),) if unsaid else ()


def _late(state: TcpState, now: float) -> Outcome:
    talk = state.talk
    if talk is None:
        return Failed(Reason.TIMEOUT, "no connection in time", now - state.started)
    if talk.latency is not None:
        return Passed(talk.latency)
    return _lacking(state, talk, Reason.TIMEOUT, "no answer in time", now)


def _lacking(state: TcpState, talk: Talk, reason: Reason, what: str, now: float) -> Failed:
    """Say at which step what was wanted and what came."""
    exchange = state.spec.exchanges[talk.place]
    where, wanted = _where(state, talk), ""
    if talk.heard:
        reason = Reason.CONTENT if reason is Reason.CLOSED else reason
        wanted = f"; {exchange} not in '{excerpt(talk.heard, 300)}'"
    elif exchange.waits:
        wanted = f"; {exchange} wanted, nothing came"
    return Failed(reason, f"{where}{what}{wanted}", now - state.started)


def _where(state: TcpState, talk: Talk) -> str:
    steps = len(state.spec.exchanges)
    return f"step {talk.place + 1} of {steps}: " if steps > 1 else ""

"""Check `tcp`: the port accepts a connection and, if asked, holds a short dialogue.

The one rule: a check without a dialogue passes as soon as the handshake is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from libra_health.outcome import (
    Failed,
    Outcome,
    Passed,
    Reason,
    excerpt,
    from_errno,
    undecided,
)
from libra_health.patterns import compiled, is_costly
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
"""Bytes read at most while waiting for `expect`."""


@dataclass(frozen=True, slots=True)
class TcpSpec:
    """What to say after the handshake and which pattern the answer must match somewhere.

    `send` without `expect` asks for any answer at all.
    """

    send: bytes = b""
    expect: str = ""


@dataclass(frozen=True, slots=True)
class TcpState:
    """A check under way. `started` in seconds of the monotonic clock."""

    spec: TcpSpec
    started: float
    is_connected: bool = False
    heard: bytes = b""


Step: TypeAlias = tuple[TcpState, Effects | Outcome]


def start(target: Target, spec: TcpSpec, now: float) -> tuple[TcpState, Effects]:
    """Begin by connecting."""
    plain = not spec.send and not spec.expect
    return TcpState(spec, now), (Connect(target, abort=plain),)


def step(state: TcpState, event: Input, now: float) -> Step:
    """Take one input further."""
    match event:
        case Connected():
            return _greet(state, now)
        case Received(data):
            return _listen(state, data, now)
        case Searched():
            return _judge(state, event, now)
        case Refused(number, immediate):
            return state, from_errno(number, now - state.started, immediate=immediate)
        case Ended():
            return state, _lacking(state, Reason.CLOSED, "closed by the backend", now)
        case DeadlineReached():
            return state, _late(state, now)
        case _:
            raise Unasked("tcp", event)


def _greet(state: TcpState, now: float) -> Step:
    spec = state.spec
    if not spec.send and not spec.expect:
        return state, Passed(now - state.started)
    following = TcpState(spec, state.started, is_connected=True)
    return following, ((Send(spec.send), *RECEIVE) if spec.send else RECEIVE)


def _listen(state: TcpState, data: bytes, now: float) -> Step:
    heard, expect = state.heard + data, state.spec.expect
    following = TcpState(state.spec, state.started, is_connected=True, heard=heard)
    if is_costly(expect):
        return following, (Search(expect, heard),)
    return _judge(following, Searched(compiled(expect).search(heard) is not None), now)


def _judge(state: TcpState, answer: Searched, now: float) -> Step:
    if answer.found is None:
        latency = now - state.started
        return state, undecided(state.spec.expect, tried=answer.tried, latency=latency)
    if answer.found:
        return state, Passed(now - state.started)
    if len(state.heard) >= DIALOGUE_LIMIT:
        return state, _lacking(state, Reason.OVERSIZED, "too much was sent", now)
    return state, RECEIVE


def _late(state: TcpState, now: float) -> Failed:
    if not state.is_connected:
        return Failed(Reason.TIMEOUT, "no connection in time", now - state.started)
    return _lacking(state, Reason.TIMEOUT, "no answer in time", now)


def _lacking(state: TcpState, reason: Reason, what: str, now: float) -> Failed:
    if not state.heard:
        return Failed(reason, what, now - state.started)
    reason = Reason.CONTENT if reason is Reason.CLOSED else reason
    detail = f"{what}; /{state.spec.expect[:80]}/ not in '{excerpt(state.heard, 300)}'"
    return Failed(reason, detail, now - state.started)

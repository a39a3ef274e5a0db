"""Check `dns`: a name server answers a question (RFC 1035).

The one rule: only what answers this very question under this very id counts.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from libra_health.outcome import Failed, Outcome, Passed, Reason, excerpt, from_errno
from libra_health.wire import (
    RECEIVE,
    Connect,
    Connected,
    DeadlineReached,
    Effects,
    Ended,
    Input,
    OpenUdp,
    Received,
    Refused,
    Send,
    Target,
    UdpOpened,
    Unasked,
)

if TYPE_CHECKING:
    from libra_health.protocols.dns_answer import Answer

STRANGERS_LIMIT: Final = 32
"""Datagrams passed over that answer something else; more make a backend one that babbles."""
_LENGTH: Final = struct.Struct("!H")


@dataclass(frozen=True, slots=True)
class DnsSpec:
    """What to ask, `question` as bytes of a message; which answers pass (see dns_answer.Answer)."""

    question: bytes
    recursion: bool = True
    rcode: str = "NOERROR"
    expect: tuple[str, ...] = ()
    at_least: int = 1
    is_tcp: bool = False


@dataclass(frozen=True, slots=True)
class DnsState:
    """A check under way. `started` in seconds of the monotonic clock.

    `is_tcp`: how it is asked now. `pending`: what TCP brought of an answer, its length first.
    """

    target: Target
    spec: DnsSpec
    started: float
    is_tcp: bool
    is_open: bool = False
    pending: bytes = b""
    strangers: int = 0


Step: TypeAlias = tuple[DnsState, Effects | Outcome]


def start(target: Target, spec: DnsSpec, now: float) -> tuple[DnsState, Effects]:
    """Begin by opening a channel."""
    state = DnsState(target, spec, now, spec.is_tcp)
    return state, ((Connect(target, abort=False),) if spec.is_tcp else (OpenUdp(target),))


def step(state: DnsState, event: Input, now: float) -> Step:
    """Take one input further."""
    match event:
        case UdpOpened():
            return replace(state, is_open=True), (Send(_query(state)), *RECEIVE)
        case Connected():
            framed = _LENGTH.pack(len(_query(state))) + _query(state)
            return replace(state, is_open=True), (Send(framed), *RECEIVE)
        case Received(data):
            return _collect(state, data, now) if state.is_tcp else _hear(state, data, now)
        case Refused(number, immediate):
            return state, from_errno(number, now - state.started, immediate=immediate)
        case Ended():
            return state, _lacking(state, Reason.CLOSED, "closed before the answer was whole", now)
        case DeadlineReached():
            what = "no answer in time" if state.is_open else "no connection in time"
            return state, _lacking(state, Reason.TIMEOUT, what, now)
        case _:
            raise Unasked("dns", event)


def identity(started: float) -> int:
    """Choose the message's id by the nanosecond it is made in, spread over all 16 bits."""
    return (int(started * 1e9) * 0x9E3779B97F4A7C15 >> 48) & 0xFFFF


def _query(state: DnsState) -> bytes:
    from libra_health.protocols.dns_answer import query  # noqa: PLC0415  slow import, only where asked

    return query(identity(state.started), state.spec.question, recursion=state.spec.recursion)


def _collect(state: DnsState, data: bytes, now: float) -> Step:
    """Gather one answer that TCP brings, after its length (RFC 1035 section 4.2.2)."""
    pending = state.pending + data
    if len(pending) < _LENGTH.size:
        return replace(state, pending=pending), RECEIVE
    end = _LENGTH.size + _LENGTH.unpack_from(pending)[0]
    if len(pending) < end:
        return replace(state, pending=pending), RECEIVE
    return _hear(state, pending[_LENGTH.size : end], now)


def _hear(state: DnsState, data: bytes, now: float) -> Step:
    from libra_health.protocols import dns_answer  # noqa: PLC0415  slow import, only where asked

    elapsed = now - state.started
    try:
        answer = dns_answer.read(data, identity(state.started), state.spec.question)
    except dns_answer.OversizedAnswer as wrong:
        return state, Failed(Reason.OVERSIZED, str(wrong), elapsed)
    except dns_answer.MalformedAnswer as wrong:
        detail = f"{wrong}: '{excerpt(data, 200)}'"
        return state, Failed(Reason.MALFORMED, detail, elapsed)
    if answer is None:
        return _pass_over(state, data, now)
    if answer.is_truncated and not state.is_tcp:
        anew = replace(state, is_tcp=True, is_open=False)
        return anew, (Connect(state.target, abort=False),)
    if answer.is_truncated:
        return state, Failed(Reason.MALFORMED, "an answer by TCP that is truncated", elapsed)
    return state, _judge(state.spec, answer, elapsed)


def _pass_over(state: DnsState, data: bytes, now: float) -> Step:
    """Leave out what answers something else; nobody else can speak on a TCP connection."""
    strangers = state.strangers + 1
    if state.is_tcp or strangers > STRANGERS_LIMIT:
        detail = f"no answer to what was asked: '{excerpt(data, 200)}'"
        return state, Failed(Reason.MALFORMED, detail, now - state.started)
    return replace(state, strangers=strangers), RECEIVE


def _judge(spec: DnsSpec, answer: Answer, elapsed: float) -> Outcome:
    if answer.rcode != spec.rcode:
        return Failed(Reason.STATUS, f"rcode {answer.rcode}, wanted {spec.rcode}", elapsed)
    missing = [text for text in spec.expect if text not in answer.records]
    text = excerpt("; ".join(answer.records).encode(), 200)
    came = f": '{text}'" if text else ""
    if missing:
        wanted = excerpt("; ".join(missing).encode(), 200)
        detail = f"'{wanted}' not among {len(answer.records)} answers{came}"
        return Failed(Reason.CONTENT, detail, elapsed)
    if len(answer.records) < spec.at_least:
        detail = f"{len(answer.records)} answers of the type, wanted {spec.at_least}{came}"
        return Failed(Reason.CONTENT, detail, elapsed)
    return Passed(elapsed)


def _lacking(state: DnsState, reason: Reason, what: str, now: float) -> Failed:
    others = f"; {state.strangers} datagrams answered something else" if state.strangers else ""
    part = f": '{excerpt(state.pending, 200)}'" if state.pending else ""
    return Failed(reason, f"{what}{others}{part}", now - state.started)

"""Check `udp`: a datagram is sent; an answer, an ICMP error or silence decides.

The one rule: an ICMP error fails at once, silence as the config says, a wrong answer only when no
right one has followed it in time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from libra_health.outcome import Failed, Outcome, Passed, Reason, excerpt, from_errno, undecided
from libra_health.patterns import compiled, is_costly
from libra_health.wire import (
    RECEIVE,
    DeadlineReached,
    Effects,
    Input,
    OpenUdp,
    Received,
    Refused,
    Search,
    Searched,
    Send,
    Target,
    UdpOpened,
    Unasked,
)

ANSWERS_LIMIT: Final = 100
"""Datagrams looked at in one run: a backend that floods keeps no other check waiting."""


@dataclass(frozen=True, slots=True)
class UdpSpec:
    """What is sent and which pattern an answer must match somewhere; "" takes any answer.

    `silence_passes`: whether it is enough that nothing at all came back.
    """

    send: bytes = b""
    expect: str = ""
    silence_passes: bool = True


@dataclass(frozen=True, slots=True)
class UdpState:
    """A check under way. `started` in monotonic seconds; `last` of the `count` wrong answers."""

    spec: UdpSpec
    started: float
    last: bytes = b""
    count: int = 0


Step: TypeAlias = tuple[UdpState, Effects | Outcome]


def start(target: Target, spec: UdpSpec, now: float) -> tuple[UdpState, Effects]:
    """Begin by opening a socket."""
    return UdpState(spec, now), (OpenUdp(target),)


def step(state: UdpState, event: Input, now: float) -> Step:
    """Take one input further."""
    match event:
        case UdpOpened():
            return state, (Send(state.spec.send), *RECEIVE)
        case Received(data):
            return _hear(replace(state, last=data, count=state.count + 1), now)
        case Searched():
            return _judge(state, event, now)
        case Refused(number, immediate):
            return state, from_errno(number, now - state.started, immediate=immediate)
        case DeadlineReached():
            return state, _late(state, now)
        case _:
            raise Unasked("udp", event)


def _hear(state: UdpState, now: float) -> Step:
    expect = state.spec.expect
    if is_costly(expect):
        return state, (Search(expect, state.last),)
    return _judge(state, Searched(compiled(expect).search(state.last) is not None), now)


def _judge(state: UdpState, answer: Searched, now: float) -> Step:
    elapsed = now - state.started
    if answer.found is None:
        return state, undecided(state.spec.expect, tried=answer.tried, latency=elapsed)
    if answer.found:
        return state, Passed(elapsed)
    return state, _wrong(state, elapsed) if state.count >= ANSWERS_LIMIT else RECEIVE


def _late(state: UdpState, now: float) -> Outcome:
    elapsed = now - state.started
    if state.count:
        return _wrong(state, elapsed)
    if state.spec.silence_passes:
        return Passed(elapsed, detail="no answer and no refusal in time")
    wanted = f"; /{state.spec.expect[:80]}/ wanted, nothing came" if state.spec.expect else ""
    return Failed(Reason.TIMEOUT, f"no answer in time{wanted}", elapsed)


def _wrong(state: UdpState, elapsed: float) -> Failed:
    which = f"the last of {state.count} answers, " if state.count > 1 else ""
    detail = f"/{state.spec.expect[:80]}/ not in {which}'{excerpt(state.last, 300)}'"
    return Failed(Reason.CONTENT, detail, elapsed)

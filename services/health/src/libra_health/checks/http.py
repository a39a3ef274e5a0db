"""Check `http`: requests, and answers with the right status and, if asked, the right body.

The one rule: a body is read only when something is asked of it, or to ask more after it.
"""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Final, TypeAlias

from libra_health.errands import FileRead, FileUnread, ReadFile
from libra_health.handshake import shortcoming, unsecured
from libra_health.http.expectations import wrong_status
from libra_health.http.head import Head, MalformedResponse
from libra_health.http.judge import Ruling, judge, searched
from libra_health.http.redirect import REDIRECTS, Unfollowable, followed
from libra_health.http.request import VALUE_LIMIT, encode, header_value
from libra_health.http.response import NOTHING, OversizedResponse, feed, finish
from libra_health.http.run import Ask, HttpSpec, HttpState, Stage, Turn, begun
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason, from_errno
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
    Searched,
    Secured,
    Send,
    StartTls,
    Target,
    Unasked,
    Unsecured,
)

_LOST: Final = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED})

Step: TypeAlias = tuple[HttpState, Effects | Outcome]


def start(target: Target, spec: HttpSpec, now: float) -> tuple[HttpState, Effects]:
    """Begin by reading the files of secret headers, or else by connecting."""
    state = begun(target, spec, now)
    if spec.secrets:
        return state, (ReadFile(spec.secrets[0][1], VALUE_LIMIT),)
    return state, (Connect(target, abort=False),)


def step(state: HttpState, event: Input, now: float) -> Step:
    """Take one input further; with several requests a failure names the one that failed."""
    after, result = _step(state, event, now)
    if isinstance(result, Failed) and state.name:
        return after, replace(result, detail=state.name + result.detail)
    return after, result


def _step(state: HttpState, event: Input, now: float) -> Step:
    match event:
        case Connected():
            return _open(state)
        case Received(data):
            return _read(state, data, now)
        case Ended():
            return _end(state, now)
        case Refused(number, immediate):
            if number in _LOST and _was_idle(state):
                return _connect(state, state.turn)
            return state, from_errno(number, now - state.run.started, immediate=immediate)
        case Searched():
            return _go_on(state, searched(state, event, now), now)
        case DeadlineReached():
            return state, _late(state, now)
        case _:
            return _prepare(state, event, now)


def _prepare(state: HttpState, event: Input, now: float) -> Step:
    """Go on with files and TLS, without which nothing is asked."""
    latency = now - state.run.started
    match event:
        case FileRead(data):
            return _take_secret(state, data)
        case FileUnread(number):
            name, path = state.run.spec.secrets[len(state.run.secrets)]
            code = errno.errorcode.get(number, str(number))
            return state, Errored(Reason.LOCAL, f"{name}: {path} cannot be read: {code}")
        case Secured() if state.run.spec.tls is not None:
            wrong = shortcoming(state.run.spec.tls, event, latency)
            return (state, wrong) if wrong is not None else _ask(state)
        case Unsecured():
            return state, unsecured(event, latency)
        case _:
            raise Unasked("http", event)


def _take_secret(state: HttpState, data: bytes) -> Step:
    run = state.run
    name, path = run.spec.secrets[len(run.secrets)]
    try:
        value = header_value(data)
    except ValueError as wrong:
        return state, Errored(Reason.LOCAL, f"{name}: {path} {wrong}")
    known = replace(state, run=replace(run, secrets=(*run.secrets, (name, value))))
    if len(known.run.secrets) < len(run.spec.secrets):
        return known, (ReadFile(run.spec.secrets[len(known.run.secrets)][1], VALUE_LIMIT),)
    return _connect(known, state.turn)


def _connect(state: HttpState, turn: Turn) -> Step:
    """Open a connection for a request, in place of the one before if there was one."""
    following = HttpState(state.run, replace(turn, is_reused=False))
    return following, (Connect(state.run.target, abort=False),)


def _open(state: HttpState) -> Step:
    tls = state.run.spec.tls
    if tls is None:
        return _ask(state)
    return HttpState(state.run, state.turn, Stage.HANDSHAKE), (StartTls(tls.tls),)


def _ask(state: HttpState) -> Step:
    request = encode(state.turn.ask.request, keeps=state.keeps, secrets=state.run.secrets)
    secrets = tuple(value for _, value in state.run.secrets)
    return HttpState(state.run, state.turn, Stage.ANSWER), (Send(request, secrets), *RECEIVE)


def _read(state: HttpState, data: bytes, now: float) -> Step:
    ask, limit = state.turn.ask, state.run.spec.body_limit
    bodiless = ask.request.is_head or not (ask.body or state.keeps)
    try:
        reading = feed(state.reading, data, body_limit=limit, bodiless=bodiless)
    except MalformedResponse as found:
        heard = state.shown(state.reading.pending + data, 300)
        return state, Failed(Reason.MALFORMED, f"{found}: '{heard}'", now - state.run.started)
    except OversizedResponse as found:
        return state, Failed(Reason.OVERSIZED, str(found), now - state.run.started)
    following, head = HttpState(state.run, state.turn, Stage.ANSWER, reading), reading.head
    if head is None:
        return following, RECEIVE
    if wrong := wrong_status(head.status, ask.statuses):
        return _turn_away(state, head, wrong, now)
    if reading.is_complete or not (ask.body or head.persists):
        return _go_on(following, judge(following, now), now)
    return following, RECEIVE


def _end(state: HttpState, now: float) -> Step:
    latency = now - state.run.started
    if _was_idle(state):
        return _connect(state, state.turn)
    if state.stage is not Stage.ANSWER:
        return state, Failed(Reason.CLOSED, "closed within the TLS handshake", latency)
    if state.reading.head is None and not state.reading.pending:
        return state, Failed(Reason.CLOSED, "closed without an answer", latency)
    try:
        reading = finish(state.reading)
    except MalformedResponse as found:
        return state, Failed(Reason.MALFORMED, str(found), latency)
    following = replace(state, reading=reading)
    return _go_on(following, judge(following, now), now)


def _was_idle(state: HttpState) -> bool:
    """Whether the backend closed a connection that it had kept open (RFC 9112 section 9.3.1)."""
    return state.turn.is_reused and state.reading is NOTHING


def _go_on(state: HttpState, ruling: Ruling, now: float) -> Step:
    """Ask the next request once this one's answer is accepted."""
    if isinstance(ruling, tuple):
        return replace(state, met=ruling[0]), (ruling[1],)
    if ruling is not None:
        return state, ruling
    if state.is_last:
        return state, Passed(now - state.run.started)
    place = state.turn.place + 1
    turn = Turn(place, state.run.spec.asks[place])
    if state.keeps and state.reading.leaves_open and turn.ask.request.is_repeatable:
        return _ask(HttpState(state.run, replace(turn, is_reused=True)))
    return _connect(state, turn)


def _turn_away(state: HttpState, head: Head, wrong: str, now: float) -> Step:
    """Follow a redirect where that is wanted, else say what is wrong with the answer."""
    run, turn, latency = state.run, state.turn, now - state.run.started
    if head.status not in REDIRECTS or not head.location:
        return state, Failed(Reason.STATUS, wrong, latency)
    wrong += f", redirected to '{state.shown(head.location, 200)}'"
    if turn.hops == run.spec.redirects:
        most = f", which is one more than {turn.hops}" if turn.hops else ""
        return state, Failed(Reason.STATUS, wrong + most, latency)
    scheme = "http" if run.spec.tls is None else "https"
    try:
        request = followed(
            turn.ask.request, head.status, head.location, scheme=scheme, port=run.target.port
        )
    except Unfollowable as found:
        return state, Failed(Reason.STATUS, f"{wrong}: {found}", latency)
    ask = Ask(request, turn.ask.statuses, turn.ask.body)
    return _connect(state, Turn(turn.place, ask, turn.hops + 1))


def _late(state: HttpState, now: float) -> Failed | Errored:
    if state.stage is Stage.FILES:
        return Errored(Reason.LOCAL, "secret files not read in time")
    return Failed(Reason.TIMEOUT, _progress(state), now - state.run.started)


def _progress(state: HttpState) -> str:
    match state.stage:
        case Stage.FILES | Stage.CONNECTION:
            return "no connection in time"
        case Stage.HANDSHAKE:
            return "TLS handshake not done in time"
        case Stage.ANSWER if state.reading.head is not None:
            return f"body not complete in time, {len(state.reading.body)} bytes of it came"
    heard = state.reading.pending
    return (
        f"head not complete in time: '{state.shown(heard, 200)}'" if heard else "no answer in time"
    )


__all__ = ["Ask", "HttpSpec", "HttpState", "start", "step"]

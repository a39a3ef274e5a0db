"""Check `http`: one request, and an answer with the right status and, if asked, the right body.

The one rule: the body is read only when something is asked of it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never

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
from libra_health.response import (
    NOTHING,
    Head,
    MalformedResponse,
    OversizedResponse,
    Reading,
    feed,
    finish,
)
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

BODY_LIMIT: Final = 1048576
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f]")
_VISIBLE: Final = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Contains:
    """The body contains these bytes."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Matches:
    """The body matches this regular expression somewhere."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Digest:
    """The body has this digest (lowercase hex); `algorithm` as hashlib names it."""

    algorithm: str
    value: str


Expectation: TypeAlias = Contains | Matches | Digest


@dataclass(frozen=True, slots=True)
class HttpSpec:
    """What to ask (see `request`) and what to accept. `statuses`: inclusive ranges.

    `is_head`: the request's method is HEAD, so no body follows.
    `body_limit`: how many bytes of the body are looked at; a digest needs the whole body in them.
    """

    request: bytes
    is_head: bool = False
    statuses: tuple[tuple[int, int], ...] = ((200, 299),)
    body: tuple[Expectation, ...] = ()
    body_limit: int = BODY_LIMIT


@dataclass(frozen=True, slots=True)
class HttpState:
    """A check under way. `started` in seconds of the monotonic clock.

    `met`: how many of the expectations of the body are met.
    """

    spec: HttpSpec
    started: float
    is_connected: bool = False
    reading: Reading = NOTHING
    met: int = 0


Step: TypeAlias = tuple[HttpState, Effects | Outcome]


def start(target: Target, spec: HttpSpec, now: float) -> tuple[HttpState, Effects]:
    """Begin by connecting."""
    return HttpState(spec, now), (Connect(target, abort=False),)


def step(state: HttpState, event: Input, now: float) -> Step:
    """Take one input further."""
    match event:
        case Connected():
            spoken = HttpState(state.spec, state.started, is_connected=True)
            return spoken, (Send(state.spec.request), *RECEIVE)
        case Received(data):
            return _read(state, data, now)
        case Ended():
            return _end(state, now)
        case Refused(number, immediate):
            return state, from_errno(number, now - state.started, immediate=immediate)
        case DeadlineReached():
            return state, Failed(Reason.TIMEOUT, _progress(state), now - state.started)
        case Searched():
            return _take_answer(state, event, now)
        case _:
            raise Unasked("http", event)


def request(
    host: str,
    path: str = "/",
    method: str = "GET",
    headers: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """Write a request (RFC 9112 section 3); raises ValueError where it would not stay one."""
    if not all(map(_TOKEN.fullmatch, (method, *headers))):
        raise ValueError("method and header names must be tokens")
    if any(map(_UNSAFE.search, headers.values())):
        raise ValueError("a header value holds a control character")
    if not (_VISIBLE.fullmatch(path) and _VISIBLE.fullmatch(host)):
        raise ValueError("path and host must be visible ASCII")
    fields = {"host": f"Host: {host}", "user-agent": "User-Agent: LibrA-health"}
    fields |= {name.lower(): f"{name}: {value}" for name, value in headers.items()}
    fields["connection"] = "Connection: close"
    lines = (f"{method} {path} HTTP/1.1", *fields.values(), "", "")
    return "\r\n".join(lines).encode("latin-1", "replace")


def _read(state: HttpState, data: bytes, now: float) -> Step:
    spec, elapsed = state.spec, now - state.started
    bodiless = spec.is_head or not spec.body
    try:
        reading = feed(state.reading, data, body_limit=spec.body_limit, bodiless=bodiless)
    except MalformedResponse as found:
        heard = excerpt(state.reading.pending + data, 300)
        return state, Failed(Reason.MALFORMED, f"{found}: '{heard}'", elapsed)
    except OversizedResponse as found:
        return state, Failed(Reason.OVERSIZED, str(found), elapsed)
    if reading.head is not None:
        if (wrong := _status_failure(spec, reading.head, elapsed)) is not None:
            return state, wrong
        if reading.is_complete:
            return _judge(_whole(state, reading), now)
    return HttpState(spec, state.started, is_connected=True, reading=reading), RECEIVE


def _end(state: HttpState, now: float) -> Step:
    if state.reading.head is None and not state.reading.pending:
        return state, Failed(Reason.CLOSED, "closed without an answer", now - state.started)
    try:
        reading = finish(state.reading)
    except MalformedResponse as found:
        return state, Failed(Reason.MALFORMED, str(found), now - state.started)
    return _judge(_whole(state, reading), now)


def _status_failure(spec: HttpSpec, head: Head, elapsed: float) -> Failed | None:
    if any(low <= head.status <= high for low, high in spec.statuses):
        return None
    wanted = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in spec.statuses)
    return Failed(Reason.STATUS, f"status {head.status}, wanted {wanted}", elapsed)


def _whole(state: HttpState, reading: Reading) -> HttpState:
    return HttpState(state.spec, state.started, is_connected=True, reading=reading)


def _judge(state: HttpState, now: float) -> Step:
    """Hold the expectations that are not met yet against the body, in order."""
    spec, reading, elapsed = state.spec, state.reading, now - state.started
    if reading.is_cut and any(isinstance(wanted, Digest) for wanted in spec.body):
        cut = f"body of more than {spec.body_limit} bytes"
        return state, Failed(Reason.OVERSIZED, cut, elapsed)
    for place, wanted in enumerate(spec.body[state.met :], start=state.met):
        if isinstance(wanted, Matches) and is_costly(wanted.pattern):
            return replace(state, met=place), (Search(wanted.pattern, reading.body),)
        if (missing := _missing(wanted, reading.body)) is not None:
            return state, _lacking(missing, reading, elapsed)
    return state, Passed(elapsed)


def _take_answer(state: HttpState, answer: Searched, now: float) -> Step:
    """Go on after the pattern that was searched for."""
    wanted, elapsed = state.spec.body[state.met], now - state.started
    assert isinstance(wanted, Matches)  # noqa: S101  nothing else is searched for
    if answer.found is None:
        return state, undecided(wanted.pattern, tried=answer.tried, latency=elapsed)
    if not answer.found:
        return state, _lacking(f"/{wanted.pattern[:80]}/", state.reading, elapsed)
    return _judge(replace(state, met=state.met + 1), now)


def _lacking(missing: str, reading: Reading, elapsed: float) -> Failed:
    detail = f"{missing} not in body '{excerpt(reading.body, 200)}'"
    return Failed(Reason.CONTENT, detail, elapsed)


def _missing(wanted: Expectation, body: bytes) -> str | None:
    """Name what was wanted if the body does not have it."""
    match wanted:
        case Contains(text):
            return None if text in body else f"'{excerpt(text, 80)}'"
        case Matches(pattern):
            return None if compiled(pattern).search(body) else f"/{pattern[:80]}/"
        case Digest(algorithm, value):
            found = hashlib.new(algorithm, body, usedforsecurity=False).hexdigest()
            return None if found == value.lower() else f"{algorithm} {value}, got {found}:"
        case _:
            assert_never(wanted)


def _progress(state: HttpState) -> str:
    if not state.is_connected:
        return "no connection in time"
    if state.reading.head is not None:
        return f"body not complete in time, {len(state.reading.body)} bytes of it came"
    heard = state.reading.pending
    return f"head not complete in time: '{excerpt(heard, 200)}'" if heard else "no answer in time"

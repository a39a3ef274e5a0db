"""Check `smtp`: banner, EHLO, where asked STARTTLS and AUTH, QUIT (RFC 5321, 3207, 4954).

The one rule: nothing that was said before TLS is believed after it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, TypeAlias

from libra_health.ending import Ending, cut_short
from libra_health.errands import FileRead, FileUnread, ReadFile
from libra_health.handshake import TlsSpec, shortcoming
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason, excerpt
from libra_health.passwords import held, hidden, password_of
from libra_health.protocols.smtp_reply import MalformedReply, OversizedReply, Reply, take
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
    Secured,
    Send,
    StartTls,
    Target,
    Unasked,
    Unsecured,
)


@dataclass(frozen=True, slots=True)
class SmtpSpec:
    """What to say. `tls`: None speaks none; `starttls`: TLS begins after EHLO, not before.

    `user`: "" logs nobody in; `password`: the file that holds the password.
    """

    helo: str = "localhost"
    tls: TlsSpec | None = None
    starttls: bool = False
    user: str = ""
    password: str = ""


class Stage(Enum):
    """What is waited for: how it is called, and the code that is wanted."""

    PASSWORD = "password", 0
    CONNECTION = "connection", 0
    TLS = "TLS handshake", 0
    GREETING = "greeting", 220
    HELLO = "answer to EHLO", 250
    STARTTLS = "answer to STARTTLS", 220
    LOGIN = "answer to AUTH LOGIN", 334
    NAME = "answer to the user's name", 334
    AUTH = "answer to AUTH", 235
    QUIT = "answer to QUIT", 0


@dataclass(frozen=True, slots=True)
class SmtpState:
    """A check under way. `started` in seconds of the monotonic clock.

    `done`: when all that was asked had been answered.
    """

    target: Target
    spec: SmtpSpec
    started: float
    stage: Stage = Stage.CONNECTION
    pending: bytes = b""
    is_secured: bool = False
    password: bytes = field(default=b"", repr=False)
    done: float = 0.0


Step: TypeAlias = tuple[SmtpState, Effects | Outcome]
_HEARD: Final = 300


def start(target: Target, spec: SmtpSpec, now: float) -> tuple[SmtpState, Effects]:
    """Begin by reading the password, or else by connecting."""
    state = SmtpState(target, spec, now)
    if spec.user:
        return replace(state, stage=Stage.PASSWORD), (ReadFile(spec.password),)
    return state, (Connect(target, abort=False),)


def step(state: SmtpState, event: Input, now: float) -> Step:
    """Take one input further."""
    match event:
        case Received(data):
            return _hear(state, data, now)
        case Connected() | Secured():
            return _open(state, event, now)
        case FileRead() | FileUnread():
            return _learn(state, event)
        case Refused() | Unsecured() | Ended() | DeadlineReached():
            return state, _end(state, event, now)
        case _:
            raise Unasked("smtp", event)


def _end(state: SmtpState, event: Ending, now: float) -> Outcome:
    """Judge the end of the dialogue; once the farewell is said nothing can fail."""
    elapsed = now - state.started
    if state.stage is Stage.QUIT:
        return Passed(state.done - state.started)
    if state.stage is Stage.PASSWORD:
        return Errored(Reason.LOCAL, f"{state.spec.password} could not be read in time")
    heard = _shown(state, state.pending) if state.pending else ""
    return cut_short(event, state.stage.value[0], elapsed, heard)


def _learn(state: SmtpState, event: FileRead | FileUnread) -> Step:
    password = password_of(state.spec.password, event)
    if isinstance(password, Errored):
        return state, password
    following = replace(state, stage=Stage.CONNECTION, password=password)
    return following, (Connect(state.target, abort=False),)


def _open(state: SmtpState, event: Connected | Secured, now: float) -> Step:
    """Go on after the connection stands, or TLS is spoken on it."""
    spec = state.spec
    if isinstance(event, Connected):
        if spec.tls is not None and not spec.starttls:
            return _shake(state, spec.tls)
        return replace(state, stage=Stage.GREETING), RECEIVE
    lack = shortcoming(spec.tls, event, now - state.started) if spec.tls is not None else None
    if lack is not None:
        return state, lack
    secured = replace(state, is_secured=True)
    if spec.starttls:
        return _say(secured, Stage.HELLO, f"EHLO {spec.helo}".encode())
    return replace(secured, stage=Stage.GREETING), RECEIVE


def _hear(state: SmtpState, data: bytes, now: float) -> Step:
    if state.stage is Stage.QUIT:
        return state, Passed(state.done - state.started)
    pending = state.pending + data
    try:
        found = take(pending)
    except (MalformedReply, OversizedReply) as wrong:
        reason = Reason.MALFORMED if isinstance(wrong, MalformedReply) else Reason.OVERSIZED
        heard = _shown(state, pending)
        detail = f"{state.stage.value[0]}: {wrong}: '{heard}'"
        return state, Failed(reason, detail, now - state.started)
    if found is None:
        return replace(state, pending=pending), RECEIVE
    reply, rest = found
    name, wanted = state.stage.value
    if reply.code != wanted:
        detail = f"{name} is '{_shown(state, reply.text)}', wanted {wanted}"
        return state, Failed(Reason.STATUS, detail, now - state.started)
    return _follow(replace(state, pending=rest), reply, now)


def _follow(state: SmtpState, reply: Reply, now: float) -> Step:
    """Say what comes after a reply that was as wanted."""
    spec, stage = state.spec, state.stage
    match stage:
        case Stage.GREETING:
            return _say(state, Stage.HELLO, f"EHLO {spec.helo}".encode())
        case Stage.STARTTLS if spec.tls is not None:
            return _shake(state, spec.tls)
        case Stage.LOGIN:
            return _say(state, Stage.NAME, base64.b64encode(spec.user.encode()))
        case Stage.NAME:
            return _say(state, Stage.AUTH, base64.b64encode(state.password))
        case Stage.HELLO if spec.starttls and not state.is_secured:
            if b"STARTTLS" not in reply.offers:
                return state, _offers_no(state, Reason.TLS, "STARTTLS", reply, now)
            return _say(state, Stage.STARTTLS, b"STARTTLS")
        case Stage.HELLO if spec.user:
            return _log_in(state, reply, now)
        case _:
            return _say(replace(state, done=now), Stage.QUIT, b"QUIT")


def _shake(state: SmtpState, spec: TlsSpec) -> Step:
    """Begin TLS; what came in the clear and was not looked at is dropped (RFC 3207)."""
    return replace(state, stage=Stage.TLS, pending=b""), (StartTls(spec.tls),)


def _log_in(state: SmtpState, reply: Reply, now: float) -> Step:
    if b"AUTH PLAIN" in reply.offers:
        return _say(state, Stage.AUTH, b"AUTH PLAIN " + _plain(state))
    if b"AUTH LOGIN" in reply.offers:
        return _say(state, Stage.LOGIN, b"AUTH LOGIN")
    return state, _offers_no(state, Reason.STATUS, "AUTH PLAIN or LOGIN", reply, now)


def _plain(state: SmtpState) -> bytes:
    """Write the one message of the mechanism PLAIN (RFC 4616)."""
    return base64.b64encode(b"\0" + state.spec.user.encode() + b"\0" + state.password)


def _say(state: SmtpState, awaited: Stage, line: bytes) -> Step:
    secrets = held(line, *_secrets(state)) if state.password else ()
    return replace(state, stage=awaited), (Send(line + b"\r\n", secrets), *RECEIVE)


def _secrets(state: SmtpState) -> tuple[bytes, ...]:
    return state.password, base64.b64encode(state.password), _plain(state)


def _shown(state: SmtpState, heard: bytes) -> str:
    return excerpt(hidden(heard, *_secrets(state)) if state.password else heard, _HEARD)


def _offers_no(state: SmtpState, reason: Reason, what: str, reply: Reply, now: float) -> Failed:
    detail = f"offers no {what}: '{_shown(state, reply.text)}'"
    return Failed(reason, detail, now - state.started)

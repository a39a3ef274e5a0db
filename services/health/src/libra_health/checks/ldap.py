"""Check `ldap`: bind to a directory and, where asked, find entries in it (RFC 4511, 4513).

The one rule: nothing that was said before TLS is believed after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, TypeAlias

from libra_health.ending import Ending, cut_short
from libra_health.errands import FileRead, FileUnread, ReadFile
from libra_health.handshake import TlsSpec, shortcoming
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason, excerpt
from libra_health.passwords import held, hidden, password_of
from libra_health.protocols import ldap_message as ldap
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

SPARE: Final = 256
"""Messages that may come beside the entries asked for: references and the like."""


@dataclass(frozen=True, slots=True)
class LdapSpec:
    """What to ask. `tls`: None speaks none; `starttls`: TLS begins by the operation, not before.

    `bind_dn`: "" binds anonymously; `password`: the file that holds the password.
    `search`: see ldap_message, b"" searches for nothing.
    """

    bind_dn: str = ""
    password: str = ""
    tls: TlsSpec | None = None
    starttls: bool = False
    search: bytes = b""
    at_least: int = 1


class Stage(Enum):
    """What is waited for: how it is called, the id it answers and the operation it is."""

    PASSWORD = "password", 0, 0
    CONNECTION = "connection", 0, 0
    TLS = "TLS handshake", 0, 0
    STARTTLS = "answer to StartTLS", 1, ldap.ANSWERED
    BIND = "answer to the bind", 2, ldap.BOUND
    SEARCH = "end of the search", 3, ldap.DONE
    UNBIND = "end", 4, 0

    @property
    def title(self) -> str:
        """How it is called."""
        return self.value[0]

    @property
    def identity(self) -> int:
        """The id of the request that is under way."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class LdapState:
    """A check under way. `started` in seconds of the monotonic clock.

    `entries` found so far; `messages` of the search so far; `done`: when all was answered.
    """

    target: Target
    spec: LdapSpec
    started: float
    stage: Stage = Stage.CONNECTION
    pending: bytes = b""
    password: bytes = field(default=b"", repr=False)
    entries: int = 0
    messages: int = 0
    done: float = 0.0


Step: TypeAlias = tuple[LdapState, Effects | Outcome]


def start(target: Target, spec: LdapSpec, now: float) -> tuple[LdapState, Effects]:
    """Begin by reading the password, or else by connecting."""
    state = LdapState(target, spec, now)
    if spec.bind_dn:
        return replace(state, stage=Stage.PASSWORD), (ReadFile(spec.password),)
    return state, (Connect(target, abort=False),)


def step(state: LdapState, event: Input, now: float) -> Step:
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
            raise Unasked("ldap", event)


def _end(state: LdapState, event: Ending, now: float) -> Outcome:
    """Judge the end of the dialogue; once the farewell is said nothing can fail."""
    elapsed = now - state.started
    if state.stage is Stage.UNBIND:
        return Passed(state.done - state.started)
    if state.stage is Stage.PASSWORD:
        return Errored(Reason.LOCAL, f"{state.spec.password} could not be read in time")
    return cut_short(event, state.stage.title, elapsed)


def _learn(state: LdapState, event: FileRead | FileUnread) -> Step:
    password = password_of(state.spec.password, event)
    if isinstance(password, Errored):
        return state, password
    following = replace(state, stage=Stage.CONNECTION, password=password)
    return following, (Connect(state.target, abort=False),)


def _open(state: LdapState, event: Connected | Secured, now: float) -> Step:
    """Go on after the connection stands, or TLS is spoken on it."""
    spec = state.spec
    if isinstance(event, Connected) and spec.tls is not None:
        if spec.starttls:
            return _ask(state, Stage.STARTTLS, ldap.start_tls(Stage.STARTTLS.identity))
        return replace(state, stage=Stage.TLS), (StartTls(spec.tls.tls),)
    if isinstance(event, Secured) and spec.tls is not None:
        lack = shortcoming(spec.tls, event, now - state.started)
        if lack is not None:
            return state, lack
    return _ask(state, Stage.BIND, ldap.bind(Stage.BIND.identity, spec.bind_dn, state.password))


def _hear(state: LdapState, data: bytes, now: float) -> Step:
    """Take every whole message that is there."""
    if state.stage is Stage.UNBIND:
        return state, Passed(state.done - state.started)
    pending, at = state.pending + data, 0
    try:
        while (found := ldap.take(pending, at)) is not None:
            message, at = found
            state, result = _follow(state, message, now)
            if result != RECEIVE:
                rest = b"" if state.stage is Stage.TLS else pending[at:]
                return replace(state, pending=rest), result
    except ldap.MalformedMessage as wrong:
        detail = f"{state.stage.title}: {wrong}: '{_shown(state, pending[at:])}'"
        return state, Failed(Reason.MALFORMED, detail, now - state.started)
    except ldap.OversizedMessage as wrong:
        return state, Failed(Reason.OVERSIZED, str(wrong), now - state.started)
    return replace(state, pending=pending[at:]), RECEIVE


def _follow(state: LdapState, message: ldap.Message, now: float) -> Step:
    """Go on after one message; RECEIVE waits for the next one."""
    stage, elapsed = state.stage, now - state.started
    if not message.identity and message.operation == ldap.ANSWERED:
        return state, _failed(state, "the server ends it", message, elapsed)
    if message.identity != stage.identity:
        detail = f"{stage.title}: a message to request {message.identity}"
        return state, Failed(Reason.MALFORMED, detail, elapsed)
    if message.operation != stage.value[2]:
        return _count(state, message, elapsed)
    if stage is Stage.SEARCH:
        return _found(state, message, now)
    if message.code != ldap.SUCCESS:
        return state, _failed(state, stage.title, message, elapsed)
    if stage is Stage.STARTTLS and state.spec.tls is not None:
        return replace(state, stage=Stage.TLS), (StartTls(state.spec.tls.tls),)
    if state.spec.search:
        request = ldap.request_search(Stage.SEARCH.identity, state.spec.search)
        return _ask(state, Stage.SEARCH, request)
    return _farewell(state, now)


def _count(state: LdapState, message: ldap.Message, elapsed: float) -> Step:
    """Count what a search brings before its end; references are not followed."""
    is_stray = state.stage is not Stage.SEARCH or message.operation in {ldap.BOUND, ldap.ANSWERED}
    if is_stray and message.operation != ldap.INTERMEDIATE:
        detail = f"{state.stage.title}: an answer to something else"
        return state, Failed(Reason.MALFORMED, detail, elapsed)
    entries = state.entries + (message.operation == ldap.ENTRY)
    counted = replace(state, entries=entries, messages=state.messages + 1)
    if counted.messages > state.spec.at_least + SPARE:
        return state, Failed(Reason.OVERSIZED, f"{counted.messages} messages", elapsed)
    return counted, RECEIVE


def _found(state: LdapState, message: ldap.Message, now: float) -> Step:
    """Judge a search at its end; more entries than were asked for are no failure."""
    spec, elapsed = state.spec, now - state.started
    is_whole = message.code == ldap.SUCCESS or (
        message.code == ldap.SIZE_EXCEEDED and state.entries >= spec.at_least
    )
    if not is_whole:
        return state, _failed(state, "the search", message, elapsed)
    if state.entries < spec.at_least:
        detail = f"{state.entries} entries found, wanted {spec.at_least}"
        return state, Failed(Reason.CONTENT, detail, elapsed)
    return _farewell(state, now)


def _farewell(state: LdapState, now: float) -> Step:
    farewell = ldap.unbind(Stage.UNBIND.identity)
    return _ask(replace(state, done=now), Stage.UNBIND, farewell)


def _ask(state: LdapState, awaited: Stage, request: bytes) -> Step:
    sent = Send(request, held(request, state.password))
    return replace(state, stage=awaited), (sent, *RECEIVE)


def _shown(state: LdapState, heard: bytes) -> str:
    return excerpt(hidden(heard, state.password), 200)


def _failed(state: LdapState, what: str, message: ldap.Message, elapsed: float) -> Failed:
    said = f": '{_shown(state, message.text)}'" if message.text else ""
    return Failed(Reason.STATUS, f"{what}: {message.result} ({message.code}){said}", elapsed)

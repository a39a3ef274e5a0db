"""Check `grpc`: ask a server how it is by gRPC's health protocol (`grpc.health.v1`).

The one rule: only SERVING, told by a call that ended well (grpc-status 0), passes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from libra_health.ending import Ending, cut_short
from libra_health.handshake import TlsSpec, shortcoming
from libra_health.outcome import Failed, Outcome, Passed, Reason, excerpt
from libra_health.protocols import grpc_message as grpc
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

if TYPE_CHECKING:
    from libra_health.protocols.http2 import Exchange


@dataclass(frozen=True, slots=True)
class GrpcSpec:
    """What to ask. `service`: "" for the whole server; `tls`: None speaks none, else ALPN h2."""

    authority: str
    service: str = ""
    tls: TlsSpec | None = None


class Stage(Enum):
    """What is waited for."""

    CONNECTION = "connection"
    TLS = "TLS handshake"
    ANSWER = "answer"
    END = "end"


@dataclass(frozen=True, slots=True)
class GrpcState:
    """A check under way. `started` and `done` in seconds of the monotonic clock.

    `exchange` is the one part that changes in place: a state is stepped from once.
    """

    spec: GrpcSpec
    started: float
    stage: Stage = Stage.CONNECTION
    exchange: Exchange | None = None
    done: float = 0.0


Step: TypeAlias = tuple[GrpcState, Effects | Outcome]


def start(target: Target, spec: GrpcSpec, now: float) -> tuple[GrpcState, Effects]:
    """Begin by connecting."""
    return GrpcState(spec, now), (Connect(target, abort=False),)


def step(state: GrpcState, event: Input, now: float) -> Step:
    """Take one input further."""
    match event:
        case Received(data) if state.exchange is not None:
            return _hear(state, state.exchange, data, now)
        case Connected() if state.spec.tls is not None:
            return replace(state, stage=Stage.TLS), (StartTls(state.spec.tls.tls),)
        case Connected():
            return _ask(state)
        case Secured() if state.spec.tls is not None:
            lack = shortcoming(state.spec.tls, event, now - state.started)
            return (state, lack) if lack is not None else _ask(state)
        case Refused() | Unsecured() | Ended() | DeadlineReached():
            return state, _end(state, event, now)
        case _:
            raise Unasked("grpc", event)


def _end(state: GrpcState, event: Ending, now: float) -> Outcome:
    """Judge the end of the connection; once the farewell is said nothing can fail."""
    elapsed = now - state.started
    if state.stage is Stage.END:
        return Passed(state.done - state.started)
    return cut_short(event, state.stage.value, elapsed)


def _ask(state: GrpcState) -> Step:
    """Ask at once, without waiting for the server's settings (RFC 9113 section 3.4)."""
    from libra_health.protocols.http2 import Exchange  # noqa: PLC0415  slow import, only where asked

    exchange = Exchange(grpc.MESSAGE_LIMIT)
    fields = (
        (":method", "POST"),
        (":scheme", "https" if state.spec.tls is not None else "http"),
        (":path", grpc.PATH),
        (":authority", state.spec.authority),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", "LibrA-health"),
    )
    request = exchange.ask(fields, grpc.request(state.spec.service))
    asked = replace(state, stage=Stage.ANSWER, exchange=exchange)
    return asked, (Send(request), *RECEIVE)


def _hear(state: GrpcState, exchange: Exchange, data: bytes, now: float) -> Step:
    if state.stage is Stage.END:
        return state, Passed(state.done - state.started)
    exchange.hear(data)
    wrong = _stranger(exchange.head) or exchange.failure
    if wrong is None and exchange.is_whole:
        wrong = _judged(state.spec, exchange)
    if wrong is not None:
        return state, replace(wrong, latency=now - state.started)
    if exchange.is_whole:
        parting = replace(state, stage=Stage.END, done=now)
        return parting, (Send(exchange.farewell()), *RECEIVE)
    unsent = exchange.unsent
    return state, (Send(unsent), *RECEIVE) if unsent else RECEIVE


def _stranger(head: dict[bytes, bytes]) -> Failed | None:
    """Tell an answer that is none of gRPC; one that begins by a grpc-status is."""
    if not head or b"grpc-status" in head:
        return None
    status, kind = head.get(b":status", b""), head.get(b"content-type", b"")
    if status != b"200":
        return Failed(Reason.STATUS, f"HTTP status {excerpt(status, 20)}, and no grpc-status")
    if not kind.startswith(b"application/grpc"):
        return Failed(Reason.MALFORMED, f"content-type '{excerpt(kind, 100)}', which is not gRPC")
    return None


def _judged(spec: GrpcSpec, exchange: Exchange) -> Failed | None:
    """Look at a whole answer; None: it is SERVING."""
    fields = exchange.head | exchange.trailers
    code = fields.get(b"grpc-status")
    if code is None:
        return Failed(Reason.MALFORMED, "no grpc-status")
    if not code.isdigit() or len(code) > 9:  # noqa: PLR2004  an int32
        return Failed(Reason.MALFORMED, f"grpc-status '{excerpt(code, 40)}'")
    if int(code) != grpc.OK:
        return _refused(int(code), grpc.message_of(fields.get(b"grpc-message", b"")))
    try:
        status = grpc.status_of(exchange.body)
    except grpc.MalformedAnswer as wrong:
        return Failed(Reason.MALFORMED, f"{wrong}: '{excerpt(exchange.body, 100)}'")
    if status == grpc.SERVING:
        return None
    whose = f"service {spec.service}" if spec.service else "the server"
    return Failed(Reason.STATUS, f"{whose} is {grpc.serving_name(status)}, wanted SERVING")


def _refused(code: int, said: bytes) -> Failed:
    """Say how a call ended that brought no answer."""
    why = f": '{excerpt(said, 300)}'" if said else ""
    lacks = ": the server has no health service" if code == grpc.UNIMPLEMENTED else ""
    return Failed(Reason.STATUS, f"grpc-status {grpc.status_name(code)}{lacks}{why}")

"""Check `tls`: a handshake, and a certificate that is valid and stays so for a while.

The one rule: nothing is said over TLS; the connection ends once the handshake is judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from libra_health.handshake import TlsSpec, days, shortcoming, unsecured
from libra_health.outcome import Failed, Outcome, Passed, Reason, from_errno
from libra_health.wire import (
    Connect,
    Connected,
    DeadlineReached,
    Effects,
    Ended,
    Input,
    Refused,
    Secured,
    StartTls,
    Target,
    Unasked,
    Unsecured,
)


@dataclass(frozen=True, slots=True)
class TlsState:
    """A check under way. `started` in seconds of the monotonic clock."""

    spec: TlsSpec
    started: float
    is_connected: bool = False


Step: TypeAlias = tuple[TlsState, Effects | Outcome]


def start(target: Target, spec: TlsSpec, now: float) -> tuple[TlsState, Effects]:
    """Begin by connecting."""
    return TlsState(spec, now), (Connect(target, abort=False),)


def step(state: TlsState, event: Input, now: float) -> Step:
    """Take one input further."""
    spec, latency = state.spec, now - state.started
    match event:
        case Connected():
            return TlsState(spec, state.started, is_connected=True), (StartTls(spec.tls),)
        case Secured():
            return state, shortcoming(spec, event, latency) or _passed(event, latency)
        case Unsecured():
            return state, unsecured(event, latency)
        case Refused(number, immediate):
            return state, from_errno(number, latency, immediate=immediate)
        case Ended():
            return state, Failed(Reason.CLOSED, "closed within the TLS handshake", latency)
        case DeadlineReached():
            late = "TLS handshake not done" if state.is_connected else "no connection"
            return state, Failed(Reason.TIMEOUT, f"{late} in time", latency)
        case _:
            raise Unasked("tls", event)


def _passed(event: Secured, latency: float) -> Passed:
    left = "" if event.left is None else f", certificate expires in {days(event.left)}"
    return Passed(latency, detail=f"{event.version}{left}")


__all__ = ["TlsSpec", "TlsState", "start", "step"]

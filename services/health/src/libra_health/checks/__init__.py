"""The checks that the one driver runs: file name = config word, all with the same two functions.

The one rule: a new check is a file here and a line in each `match` below.
"""

from __future__ import annotations

from typing import TypeAlias, assert_never

from libra_health.checks import http, icmp, tcp
from libra_health.checks.http import HttpSpec, HttpState
from libra_health.checks.icmp import IcmpSpec, IcmpState
from libra_health.checks.tcp import TcpSpec, TcpState
from libra_health.outcome import Outcome
from libra_health.wire import Effects, Input, Target

Spec: TypeAlias = TcpSpec | HttpSpec | IcmpSpec
State: TypeAlias = TcpState | HttpState | IcmpState


def kind_of(spec: Spec) -> str:
    """Name the config word of a check."""
    match spec:
        case TcpSpec():
            return "tcp"
        case HttpSpec():
            return "http"
        case IcmpSpec():
            return "icmp"
        case _:
            assert_never(spec)


def start(target: Target, spec: Spec, now: float) -> tuple[State, Effects]:
    """Begin a check; `now` in seconds of the monotonic clock."""
    match spec:
        case TcpSpec():
            return tcp.start(target, spec, now)
        case HttpSpec():
            return http.start(target, spec, now)
        case IcmpSpec():
            return icmp.start(target, spec, now)
        case _:
            assert_never(spec)


def step(state: State, event: Input, now: float) -> tuple[State, Effects | Outcome]:
    """Take a check one input further."""
    match state:
        case TcpState():
            return tcp.step(state, event, now)
        case HttpState():
            return http.step(state, event, now)
        case IcmpState():
            return icmp.step(state, event, now)
        case _:
            assert_never(state)


__all__ = [
    "HttpSpec",
    "HttpState",
    "IcmpSpec",
    "IcmpState",
    "Spec",
    "State",
    "TcpSpec",
    "TcpState",
    "kind_of",
    "start",
    "step",
]

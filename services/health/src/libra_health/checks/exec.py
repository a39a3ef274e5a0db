"""Check `exec`: a program of the operator's looks, and its exit status says what it found.

The one rule: a program that could not be run says nothing about the backend.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from libra_health.errands import Execute, Executed, Unexecuted, how_ended
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason, excerpt
from libra_health.points import points
from libra_health.wire import DeadlineReached, Effects, Input, Target, Unasked

LEAST: Final = 2
"""The exit status that stands for a weight of 0 (keepalived's misc_dynamic)."""


class Weighing(StrEnum):
    """What of a program's end says the weight."""

    NOTHING = ""
    STATUS = "status"
    STDOUT = "stdout"


@dataclass(frozen=True, slots=True)
class ExecSpec:
    """What is run, with which environment (all of it) and whose rights ("": see `Execute`)."""

    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    user: str = ""
    weight: Weighing = Weighing.NOTHING


@dataclass(frozen=True, slots=True)
class ExecState:
    """A check under way. `started` in seconds of the monotonic clock."""

    spec: ExecSpec
    started: float


Step: TypeAlias = tuple[ExecState, Effects | Outcome]


def start(_target: Target, spec: ExecSpec, now: float) -> tuple[ExecState, Effects]:
    """Begin by running the program."""
    errors = spec.weight is not Weighing.STDOUT
    wanted = Execute(spec.arguments, spec.environment, spec.user, errors=errors)
    return ExecState(spec, now), (wanted,)


def step(state: ExecState, event: Input, now: float) -> Step:
    """Take one input further."""
    match event:
        case Executed():
            return state, _judge(state.spec, event, now - state.started)
        case Unexecuted(detail):
            return state, Errored(Reason.LOCAL, detail)
        case DeadlineReached():
            return state, Failed(Reason.TIMEOUT, "did not end in time", now - state.started)
        case _:
            raise Unasked("exec", event)


def _judge(spec: ExecSpec, ended: Executed, latency: float) -> Outcome:
    by_status = spec.weight is Weighing.STATUS and ended.status >= LEAST
    if ended.status and not by_status:
        said = f": '{excerpt(ended.output, 300)}'" if ended.output else ""
        return Failed(Reason.STATUS, how_ended(ended.status) + said, latency)
    if by_status:
        return Passed(latency, ended.status - LEAST)
    if spec.weight is Weighing.STDOUT:
        return _weighed(ended.output, latency)
    return Passed(latency)


def _weighed(output: bytes, latency: float) -> Outcome:
    line = output.partition(b"\n")[0]
    weight = points(line)
    if weight is None:
        detail = f"no whole number of 0 to 65535 on the first line: '{excerpt(line, 300)}'"
        return Failed(Reason.MALFORMED, detail, latency)
    return Passed(latency, weight)

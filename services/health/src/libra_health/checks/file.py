"""Check `file`: a file of this node says whether a backend is up, or what it weighs.

The one rule: a file that says nothing changes nothing; what it lacks is told as our own trouble.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from libra_health.errands import FileRead, FileUnread, ReadFile
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason, excerpt
from libra_health.points import points
from libra_health.wire import DeadlineReached, Effects, Input, Target, Unasked

LIMIT: Final = 256
"""Bytes that such a file holds at most."""

_UP, _DOWN = b"up", b"down"
_ODD: Final = {
    errno.ENODEV: "not a file with content",
    errno.ETIMEDOUT: "could not be read in time",
}


class Missing(StrEnum):
    """What a file that is not there means."""

    UP = "up"
    DOWN = "down"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class FileSpec:
    """`is_weight`: a number is the weight; else 0 passes and any other fails.

    `older_than`: age in seconds from which on nobody writes the file any more, None: never.
    """

    path: str
    is_weight: bool = False
    missing: Missing = Missing.ERROR
    older_than: float | None = None


@dataclass(frozen=True, slots=True)
class FileState:
    """A check under way. `started` in seconds of the monotonic clock."""

    spec: FileSpec
    started: float


Step: TypeAlias = tuple[FileState, Effects | Outcome]


def start(_target: Target, spec: FileSpec, now: float) -> tuple[FileState, Effects]:
    """Begin by reading the file."""
    return FileState(spec, now), (ReadFile(spec.path, LIMIT + 1),)


def step(state: FileState, event: Input, now: float) -> Step:
    """Take one input further."""
    latency = now - state.started
    match event:
        case FileRead(data, age):
            return state, _judge(state.spec, data, age, latency)
        case FileUnread(number):
            return state, _unread(state.spec, number, latency)
        case DeadlineReached():
            return state, _unread(state.spec, errno.ETIMEDOUT, latency)
        case _:
            raise Unasked("file", event)


def _judge(spec: FileSpec, data: bytes, age: float, latency: float) -> Outcome:
    if spec.older_than is not None and age > spec.older_than:
        detail = f"{spec.path}: not written for {age:.0f} s, longer than {spec.older_than:g} s"
        return Failed(Reason.TIMEOUT, detail, latency)
    if len(data) > LIMIT:
        return Errored(Reason.LOCAL, f"{spec.path}: longer than {LIMIT} bytes")
    word, number = data.strip().lower(), points(data)
    if word == _UP or (number == 0 and not spec.is_weight):
        return Passed(latency)
    if word == _DOWN:
        return Failed(Reason.CONTENT, f"{spec.path}: says down", latency)
    if number is None:
        wanted = "neither up, down nor a whole number of 0 to 65535"
        return Errored(Reason.LOCAL, f"{spec.path}: {wanted}: '{excerpt(data, 100)}'")
    if spec.is_weight:
        return Passed(latency, number)
    return Failed(Reason.CONTENT, f"{spec.path}: says {number}, and only 0 passes", latency)


def _unread(spec: FileSpec, number: int, latency: float) -> Outcome:
    detail = f"{spec.path}: {_ODD.get(number) or os.strerror(number)}"
    if number == errno.ENOENT and spec.missing is not Missing.ERROR:
        if spec.missing is Missing.UP:
            return Passed(latency, detail=detail)
        return Failed(Reason.CONTENT, detail, latency)
    denied = number in {errno.EACCES, errno.EPERM}
    return Errored(Reason.PERMISSION if denied else Reason.LOCAL, detail)

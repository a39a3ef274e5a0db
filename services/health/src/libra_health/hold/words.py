"""What a hold is, how it stands, and the vocabulary between its machine and the driver.

A hold is a TCP connection kept open to a backend, whose end tells at once that its server is gone.
The inputs and effects of libra_health.wire that it needs are the same here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from libra_health import wire
from libra_health.wire import Connect, Receive, Target

TRIES: Final = 4
"""Attempts in doubt after the first: a dying server may take a connection or two with it."""


class Phase(StrEnum):
    """What a hold is doing."""

    WAITING = "waiting"
    CONNECTING = "connecting"
    HOLDING = "holding"


@dataclass(frozen=True, slots=True)
class Hold:
    """A connection to be kept to `target`; `every`: seconds between attempts while there is none.

    The same seconds tell after how long a silent connection is asked whether it still stands.
    """

    target: Target
    every: float


@dataclass(frozen=True, slots=True)
class Doubt:
    """A connection that stood was lost, and why; attempts left, and when the first was refused."""

    why: str
    tries: int = TRIES
    refusals: int = 0
    refused: float = 0.0


@dataclass(frozen=True, slots=True)
class Held:
    """How a hold stands; times in seconds of the monotonic clock.

    `since`: the phase began; `due`: when it wants `Due`. `fruitless`: connections in a row that
    did not stand. `heard`: bytes since the last pause. `lives`: the ages, in seconds, of the last
    connections that a sound server ended; `unproved`: the age of one whose server is being probed.
    """

    phase: Phase
    since: float
    due: float
    doubt: Doubt | None = None
    fruitless: int = 0
    heard: int = 0
    lives: tuple[float, ...] = ()
    unproved: float = 0.0


@dataclass(frozen=True, slots=True)
class Due:
    """The time that was asked for has come."""


@dataclass(frozen=True, slots=True)
class Probed:
    """A probe of the same backend came to an end."""

    passed: bool


@dataclass(frozen=True, slots=True)
class GiveWay:
    """The probes need the descriptor."""


Input: TypeAlias = wire.Input | Due | Probed | GiveWay


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the connection, or the attempt at one."""


@dataclass(frozen=True, slots=True)
class Hurry:
    """Probe the backend now and, for `lasting` seconds, every 100 ms."""

    lasting: float = 0.0


@dataclass(frozen=True, slots=True)
class Condemn:
    """The backend's server is gone, whatever `fall` says."""

    detail: str
    observed: float


Effect: TypeAlias = Connect | Receive | HangUp | Hurry | Condemn
Effects: TypeAlias = tuple[Effect, ...]

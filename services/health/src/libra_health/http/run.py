"""A run of a check `http`: what it asks, and how far it has come.

The one rule: what came from a secret file is never shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from libra_health.handshake import TlsSpec
from libra_health.http.expectations import GOOD, Expectation, Statuses
from libra_health.http.request import Request, Secrets
from libra_health.http.response import NOTHING, Reading
from libra_health.outcome import excerpt
from libra_health.passwords import hidden
from libra_health.wire import Target

BODY_LIMIT: Final = 1048576


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, and what of its answer is accepted."""

    request: Request
    statuses: Statuses = GOOD
    body: tuple[Expectation, ...] = ()


@dataclass(frozen=True, slots=True)
class HttpSpec:
    """What to ask, one after the other; all answers must be accepted.

    `body_limit`: bytes of a body that are looked at; a digest needs the whole body in them.
    `keeps`: one connection serves several requests where it can. `redirects`: how many are
    followed per request. `secrets`: headers by name, and the file that holds their value.
    `tls`: None speaks in the clear.
    """

    asks: tuple[Ask, ...]
    body_limit: int = BODY_LIMIT
    keeps: bool = False
    redirects: int = 0
    secrets: tuple[tuple[str, str], ...] = ()
    tls: TlsSpec | None = None


class Stage(Enum):
    """What a run waits for."""

    FILES = auto()
    CONNECTION = auto()
    HANDSHAKE = auto()
    ANSWER = auto()


@dataclass(frozen=True, slots=True)
class Run:
    """What stays over a run. `started` in seconds of the monotonic clock."""

    spec: HttpSpec
    target: Target
    started: float
    secrets: Secrets = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """Which of the requests it is. `hops`: redirects followed, and so the ask is not the spec's.

    `is_reused`: it goes over a connection that has carried an answer already.
    """

    place: int
    ask: Ask
    hops: int = 0
    is_reused: bool = False


@dataclass(frozen=True, slots=True)
class HttpState:
    """A check under way. `met`: how many of the expectations of the body are met."""

    run: Run
    turn: Turn
    stage: Stage = Stage.CONNECTION
    reading: Reading = NOTHING
    met: int = 0

    @property
    def is_last(self) -> bool:
        """Whether no other request follows this one."""
        return self.turn.place + 1 == len(self.run.spec.asks)

    @property
    def keeps(self) -> bool:
        """Whether the connection is wanted after this answer."""
        return self.run.spec.keeps and not self.is_last

    @property
    def name(self) -> str:
        """Name the request that is under way, "" where there is no other."""
        if len(self.run.spec.asks) == 1 and not self.turn.hops:
            return ""
        request = self.turn.ask.request
        return f"{request.method} {self.shown(request.path.encode(), 100)}: "

    def shown(self, data: bytes, limit: int) -> str:
        """Show what a backend sent, but no secret that it sent back."""
        return excerpt(hidden(data, *(value for _, value in self.run.secrets)), limit)


def begun(target: Target, spec: HttpSpec, now: float) -> HttpState:
    """Begin with the first request."""
    stage = Stage.FILES if spec.secrets else Stage.CONNECTION
    return HttpState(Run(spec, target, now), Turn(0, spec.asks[0]), stage)

"""The journal as services see it: what they publish, what they follow, and how it can fail.

Implementations: `libra_runtime.nats_journal` (production), `libra_runtime.testing` (double).
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from libra_schemas.envelope import Draft, Event, Unrecognised
from libra_schemas.errors import LibraError
from libra_schemas.subjects import Subject


@dataclass(frozen=True, slots=True)
class Stored:
    """One event as the log holds it.

    *raw* are the exact stored bytes, *sequence* is LOG's, *stored* is when the log stored it
    (aware, UTC; for an event recovered from STATE up to the time STATE ran behind LOG later).
    """

    event: Event | Unrecognised
    raw: bytes
    sequence: int
    stored: datetime
    subject: Subject


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Everything that was in the log has been yielded; *sequence* is LOG's newest by then.

    Yielded exactly once by `follow`: nobody plans, decides or writes before it.
    """

    sequence: int


@dataclass(frozen=True, slots=True)
class PeerLost:
    """The log of a peer cannot be read any more, or not yet."""

    node: str


class Fenced(LibraError):
    """A newer process of the same service took over; this one ends with one sentence."""


class JournalUnavailable(LibraError):
    """The log cannot be reached or refuses us; the message says what and what to do."""


class Unreached(JournalUnavailable):
    """No NATS server answers, or its connection broke."""


class NotOurs(JournalUnavailable):
    """The NATS server that answers is not this node's, or does not know its keys yet."""


class LogRenewed(LibraError):
    """The log that was followed is gone, another stands in its place; begin with that one."""


class OldServer(LibraError):
    """The nats-server is older than 2.12.1 or is set up in a way that loses events."""


class Journal(Protocol):
    """What a service says to its node's log, and what it hears from it."""

    node: str
    service: str

    @property
    def epoch(self) -> int:
        """Which start of this service this is, from 1; 0 until the log accepted the claim."""

    @property
    def connected(self) -> bool:
        """Whether events reach the log now (connected and claim accepted)."""

    @property
    def trouble(self) -> str | None:
        """Say in one sentence why events do not reach the log, None when they do."""

    def publish(self, draft: Draft) -> None:
        """Put *draft* into the bounded, spooled outbox; it is sent in order, in batches.

        Raise ValueError where the event is too large, Fenced once fenced.
        """

    async def append(self, draft: Draft) -> int:
        """Publish and wait for the ack; return the LOG sequence."""

    async def flush(self) -> None:
        """Wait until everything published so far is acknowledged."""

    def follow(
        self, *types: str, sequence: int | None = None
    ) -> AsyncGenerator[Stored | CaughtUp, None]:
        """Recover, yield `CaughtUp` once, then yield what the log stores, for ever.

        *types* are event types (`backend.down`) or their first token (`backend`), none means
        all. Recovery yields every register of STATE in LOG order, then LOG from there on; no
        event twice, none older than its register. With *sequence* STATE is left out and LOG is
        yielded from that sequence on. Events that cannot be decoded go to DEAD and are skipped.
        Raise LogRenewed where the log was made anew or lost its end: what was held true of it is
        to be read again, from the start.
        """

    def read(
        self, *types: str, first: int = 1, last: int | None = None
    ) -> AsyncGenerator[Stored, None]:
        """Yield LOG from *first* to *last* (default: the newest at the call), then end."""

    def follow_peer(
        self, node: str, *types: str
    ) -> AsyncGenerator[Stored | CaughtUp | PeerLost, None]:
        """Follow the log of a peer over the link that joins the two nats-servers, for ever.

        As `follow`, but over and over: `PeerLost` once it has not answered for 3 s, and when it
        answers again everything from the start, `CaughtUp` at the end of it.
        """

    async def before(self, stored: Stored) -> Stored | None:
        """Look up the newest acceptable event of the same register before *stored* in LOG."""

    async def reject(self, stored: Stored, reason: str) -> None:
        """Put an event that a fold cannot accept into DEAD, with the reason."""

    async def close(self, why: str = "") -> None:
        """Publish node.stopped, flush for at most a second, disconnect."""

"""A log in memory: what the NATS server of one node holds, with the faults that tests want."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from libra_runtime import stamp
from libra_schemas.envelope import Link
from libra_schemas.subjects import REGISTER_OF


class Drains(Protocol):
    """Somebody who sends what waits when the log is back."""

    def drain(self) -> None:
        """Send what waits."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the memory log holds: bytes on a subject."""

    sequence: int
    subject: str
    raw: bytes
    stored: datetime


@dataclass(slots=True)
class MemoryLog:
    """What the NATS server of one node holds, shared by the journals of its services.

    *limit* is how many entries LOG keeps (older ones are dropped, STATE keeps its registers).
    `reachable = False` is an outage, `mute = True` loses every ack; `heal()` ends both.
    """

    node: str = "a"
    limit: int | None = None
    entries: deque[Entry] = field(default_factory=deque)
    registers: dict[str, Entry] = field(default_factory=dict)
    dead: list[tuple[str, bytes, str]] = field(default_factory=list)
    heads: dict[str, Link] = field(default_factory=dict)
    journals: list[Drains] = field(default_factory=list)
    reachable: bool = True
    mute: bool = False
    last: int = 0
    stored: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, subject: str, raw: bytes) -> int:
        """Store any bytes on any subject, as a foreign publisher could; return the sequence."""
        self.last += 1
        entry = Entry(self.last, subject, raw, stamp.now())
        self.entries.append(entry)
        if self.limit is not None and len(self.entries) > self.limit:
            self.entries.popleft()
        _, node, *rest = subject.split(".")
        register = REGISTER_OF.get(".".join(rest[:2]))
        if register:
            self.registers.pop(state := ".".join(("state", node, register, *rest[2:])), None)
            self.registers[state] = entry
        self.stored.set()
        self.stored = asyncio.Event()
        return self.last

    def heal(self) -> None:
        """End an outage: every journal sends what waited."""
        self.reachable, self.mute = True, False
        for journal in self.journals:
            journal.drain()

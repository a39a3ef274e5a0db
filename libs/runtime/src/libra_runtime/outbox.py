"""What waits to be stored: bounded, in order, spooled.

Rule: an entry leaves only when the log is known to hold it, or when a later one of the same
register makes it pointless and there is no room (coalesced, counted, stated in node.recovered).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from libra_runtime.journal import Fenced
from libra_runtime.spool import Spool, render
from libra_schemas.envelope import Draft
from libra_schemas.nats import MAX_PAYLOAD
from libra_schemas.subjects import REGISTER_OF

MAX_ENTRIES = 100_000
MAX_BYTES = 64 * 1024 * 1024
UNIT_ENTRIES = 1_000
"""The server's limit for one atomic batch (ADR-50)."""

UNIT_BYTES = 4 * 1024 * 1024
_ENVELOPE = 2048
"""Bytes; more than an envelope adds to its data and a draft's line has."""

_COMPACT = 1024 * 1024
"""Bytes of sent entries in the spool that make rewriting it worth while."""

_MEND = 256
"""Entries after which a spool on a disk that was full is written again."""


@dataclass(slots=True)
class Entry:
    """A draft, its line in the spool, and who waits for it to be stored."""

    draft: Draft
    line: bytes
    waiters: list[asyncio.Future[int]] = field(default_factory=list)


class Outbox:
    """Entries in the order of publishing; the first `in_flight` ones were handed to the server."""

    def __init__(
        self,
        path: Path,
        require: Callable[[Draft], None],
        max_entries: int = MAX_ENTRIES,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """Open the spool at *path* and take over what the predecessor left.

        *require* raises ValueError for a draft that could never be stored: one in the spool (of
        another release) is dropped and counted as lost, one that is put is refused.
        """
        self.max_entries = max_entries
        self.max_bytes = max_bytes
        self.coalesced = 0
        self.in_flight = 0
        self.arrived = asyncio.Event()
        self.spool = Spool(path)
        self._require = require
        self.entries = deque(Entry(draft, render(draft)) for draft in self._inherited())
        self.bytes = sum(len(entry.line) for entry in self.entries)
        self.inherited = len(self.entries)
        self._sent_bytes = 0
        self.compact()
        if self.entries:
            self.arrived.set()

    def put(self, draft: Draft, waiter: asyncio.Future[int] | None = None) -> None:
        """Add a draft at the end; raise ValueError where it can never be stored."""
        self._require(draft)
        line = render(draft)
        if len(line) > MAX_PAYLOAD - _ENVELOPE:
            raise ValueError(f"{draft.type} of {len(line)} bytes; nats takes {MAX_PAYLOAD}")
        self.make_room(len(line))
        self.entries.append(Entry(draft, line, [waiter] if waiter else []))
        self.bytes += len(line)
        self.spool.append(line)
        torn = not self.spool.is_whole and len(self.entries) % _MEND == 0
        if torn or self.spool.is_gone:
            self.compact()
        self.arrived.set()

    def make_room(self, size: int) -> None:
        """Make room for one more entry of *size* bytes, by coalescing where there is none."""
        if len(self.entries) >= self.max_entries or self.bytes + size > self.max_bytes:
            self._coalesce()

    def next_unit(self) -> list[Entry]:
        """Take the next send unit: what waits, at most one atomic batch; it stays until stored."""
        unit: list[Entry] = []
        size = 0
        for entry in self.entries:
            size += len(entry.line)
            if unit and (len(unit) == UNIT_ENTRIES or size > UNIT_BYTES):
                break
            unit.append(entry)
        self.in_flight = len(unit)
        return unit

    def stored(self, count: int, sequence: int) -> None:
        """Let the first *count* entries go: the log holds them, the last one at *sequence*."""
        for place in range(count):
            entry = self.entries.popleft()
            self.bytes -= len(entry.line)
            self._sent_bytes += len(entry.line)
            for waiter in entry.waiters:
                if not waiter.done():
                    waiter.set_result(sequence - (count - 1 - place))
        self.in_flight = 0
        self._trim()

    def settle(self, newest: str, sequence: int) -> int:
        """Let go what the log holds, given the id of our newest event there; say how many."""
        self.in_flight = 0
        for place, entry in enumerate(self.entries):
            if entry.draft.id == newest:
                self.stored(place + 1, sequence)
                return place + 1
        return 0

    def compact(self) -> None:
        """Make the spool hold exactly what still waits; raise Fenced where it was taken over."""
        if not self.spool.replace(entry.line for entry in self.entries):
            raise Fenced(f"{self.spool.path} was taken over by a newer process; this one ends")
        self._sent_bytes = 0

    def fail(self, error: Exception) -> None:
        """Tell everybody who waits that nothing will be stored any more."""
        for entry in self.entries:
            for waiter in entry.waiters:
                if not waiter.done():
                    waiter.set_exception(error)

    def _inherited(self) -> Iterator[Draft]:
        for draft in self.spool.load():
            try:
                self._require(draft)
            except ValueError:
                self.spool.lost += 1
            else:
                yield draft

    def _trim(self) -> None:
        if not self.entries:
            self.arrived.clear()
            self.spool.clear()
            self._sent_bytes = 0
        elif self._sent_bytes > max(_COMPACT, self.bytes):
            self.compact()

    def _coalesce(self) -> None:
        """Make room: per register the newest, and where that is not enough without the oldest."""
        flying = [self.entries.popleft() for _ in range(self.in_flight)]
        before = len(self.entries)
        kept = _newest_per_register(list(self.entries))
        size = sum(len(entry.line) for entry in (*flying, *kept))
        room = (self.max_entries * 9 // 10 - len(flying), self.max_bytes * 9 // 10)
        while kept and (len(kept) > room[0] or size > room[1]):
            oldest = kept.popleft()
            size -= len(oldest.line)
            if kept:
                kept[0].waiters.extend(oldest.waiters)
        self.coalesced += before - len(kept)
        self.entries = deque((*flying, *kept))
        self.bytes = size
        self.compact()


def _newest_per_register(entries: list[Entry]) -> deque[Entry]:
    """Keep the newest entry of every register; table.changed, a delta, until a table.recorded."""
    kept: deque[Entry] = deque()
    newest: dict[tuple[str, ...], Entry] = {}
    for entry in reversed(entries):
        register = (REGISTER_OF[entry.draft.type], *entry.draft.key)
        later = newest.get(("record", *entry.draft.key) if register[0] == "change" else register)
        if later is None:
            newest[register] = entry
            kept.appendleft(entry)
        else:
            later.waiters.extend(entry.waiters)
    return kept

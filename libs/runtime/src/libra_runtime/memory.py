"""The journal's double: a log in memory; it passes the journal's contract suite."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from hashlib import sha256

from libra_runtime import stamp
from libra_runtime.chain import require_storable
from libra_runtime.journal import CaughtUp, Fenced, PeerLost, Stored
from libra_runtime.memory_log import Entry, MemoryLog
from libra_runtime.reader import wanted
from libra_schemas.envelope import NEW_CHAIN, Draft, Link, decode, encode
from libra_schemas.errors import MalformedEvent
from libra_schemas.events import Started, Stopped
from libra_schemas.subjects import Subject


class MemoryJournal:
    """A journal on a `MemoryLog`: publishing stores at once while the log is reachable."""

    def __init__(
        self, node: str = "a", service: str = "health", log: MemoryLog | None = None
    ) -> None:
        self.node = node
        self.service = service
        self.log = log or MemoryLog(node)
        self.rejected: list[tuple[Stored, str]] = []
        self._outbox: deque[tuple[Draft, asyncio.Future[int] | None]] = deque()
        self._unanswered: int | Fenced | None = None
        self._epoch = 0
        self.log.journals.append(self)
        self.drain()

    @property
    def epoch(self) -> int:
        """Which start of this service this is; 0 until the log was reachable."""
        return self._epoch

    @property
    def connected(self) -> bool:
        """Whether events reach the log now."""
        return self.log.reachable and not self._fenced()

    @property
    def trouble(self) -> str | None:
        """Say why events do not reach the log."""
        return None if self.connected else "the log is not reachable"

    @property
    def published(self) -> list[Stored]:
        """Everything this service has in the log, oldest first."""
        source = f"/lvs/{self.node}/{self.service}"
        return [stored for stored in self._decoded(1) if stored.event.source == source]

    def publish(self, draft: Draft) -> None:
        """Store *draft*, or keep it until the log is reachable."""
        self._enqueue(draft, None)

    async def append(self, draft: Draft) -> int:
        """Publish and wait until it is stored; return the sequence."""
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._enqueue(draft, done)
        return await done

    async def flush(self) -> None:
        """Wait until everything published so far is stored."""
        while self._outbox:
            await self.log.stored.wait()

    async def follow_peer(
        self, node: str, *types: str
    ) -> AsyncGenerator[Stored | CaughtUp | PeerLost, None]:
        """Say that the peer is out of reach: there is one log in memory."""
        del types
        yield PeerLost(node)
        await asyncio.Event().wait()

    async def follow(
        self, *types: str, sequence: int | None = None
    ) -> AsyncGenerator[Stored | CaughtUp, None]:
        """Recover, say `CaughtUp`, then yield what is stored, for ever."""
        newest, floor = self.log.last, (sequence or 1) - 1
        if sequence is None:
            floor = newest
            for stored in self._recovered(types):
                yield stored
        for stored in [
            each for each in self._decoded(floor + 1, newest) if wanted(each.subject, types)
        ]:
            yield stored
        yield CaughtUp(newest)
        while True:
            arrival, last = self.log.stored, self.log.last
            for stored in [
                each for each in self._decoded(newest + 1, last) if wanted(each.subject, types)
            ]:
                yield stored
            newest = last
            if self._fenced():
                raise self._fence()
            if self.log.last == last:
                await arrival.wait()

    async def read(
        self, *types: str, first: int = 1, last: int | None = None
    ) -> AsyncGenerator[Stored, None]:
        """Yield the log from *first* to *last*, then end."""
        newest = self.log.last if last is None else last
        for stored in [
            each for each in self._decoded(first, newest) if wanted(each.subject, types)
        ]:
            yield stored

    async def before(self, stored: Stored) -> Stored | None:
        """Look up the newest acceptable event of the same register before *stored*."""
        return self._before(stored.subject.state, stored.sequence)

    async def reject(self, stored: Stored, reason: str) -> None:
        """Keep a rejected event in `rejected` and in the log's dead letters."""
        self.rejected.append((stored, reason))
        self.log.dead.append((str(stored.subject), stored.raw, reason))

    async def close(self, why: str = "") -> None:
        """Publish node.stopped."""
        if self.connected:
            data = Stopped(service=self.service, why=why)
            self.publish(stamp.draft("node.stopped", (self.service,), data))
        self.log.journals.remove(self)

    def drain(self) -> None:
        """Claim the epoch where that is due and store what waits."""
        if not self.log.reachable or self not in self.log.journals:
            return
        if self._epoch == 0:
            self._claim()
        if self._unanswered and not self.log.mute:
            _, done = self._outbox.popleft()
            _settle(done, self._unanswered)
            self._unanswered = None
        while self._outbox and not self._unanswered:
            draft, done = self._outbox[0]
            result = self._fence() if self._fenced() else self._store(draft)
            if self.log.mute:
                self._unanswered = result
                return
            self._outbox.popleft()
            _settle(done, result)

    def _enqueue(self, draft: Draft, done: asyncio.Future[int] | None) -> None:
        if self._fenced():
            raise self._fence()
        require_storable(draft, self.node, self.service)
        self._outbox.append((draft, done))
        self.drain()

    def _claim(self) -> None:
        head = self.log.heads.get(self.service)
        self._epoch = head.epoch + 1 if head else 1
        data = Started(service=self.service, version="0", pid=1)
        self._store(stamp.draft("node.started", (self.service,), data))

    def _store(self, draft: Draft) -> int:
        head = self.log.heads.get(self.service)
        link = Link(
            self.node,
            self.service,
            self._epoch,
            head.chainseq + 1 if head else 1,
            head.chainprev if head else NEW_CHAIN,
        )
        raw = encode(draft, link)
        after = Link(self.node, self.service, self._epoch, link.chainseq, sha256(raw).hexdigest())
        self.log.heads[self.service] = after
        return self.log.put(str(Subject(self.node, draft.type, draft.key)), raw)

    def _fenced(self) -> bool:
        head = self.log.heads.get(self.service)
        return bool(self._epoch and head and head.epoch > self._epoch)

    def _fence(self) -> Fenced:
        return Fenced(f"a newer {self.service} of node {self.node} took over; this one ends")

    def _recovered(self, types: tuple[str, ...]) -> list[Stored]:
        found: list[Stored] = []
        for state, entry in list(self.log.registers.items()):
            stored = self._decode(entry) or self._before(state, entry.sequence)
            if stored is not None and wanted(stored.subject, types):
                found.append(stored)
        return sorted(found, key=lambda stored: stored.sequence)

    def _before(self, state: str, sequence: int) -> Stored | None:
        for stored in reversed(list(self._decoded(1, sequence - 1))):
            if stored.subject.state == state:
                return stored
        return None

    def _decoded(self, first: int, last: int | None = None) -> Iterator[Stored]:
        for entry in list(self.log.entries):
            if first <= entry.sequence <= (self.log.last if last is None else last):
                stored = self._decode(entry)
                if stored is not None:
                    yield stored

    def _decode(self, entry: Entry) -> Stored | None:
        try:
            subject, event = decode(entry.subject, entry.raw)
        except MalformedEvent as error:
            letter = (entry.subject, entry.raw, str(error))
            if letter not in self.log.dead:
                self.log.dead.append(letter)
            return None
        return Stored(event, entry.raw, entry.sequence, entry.stored, subject)


def _settle(done: asyncio.Future[int] | None, result: int | Fenced) -> None:
    if done is None or done.done():
        return
    if isinstance(result, Fenced):
        done.set_exception(result)
    else:
        done.set_result(result)

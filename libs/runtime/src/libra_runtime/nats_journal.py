"""The journal on NATS JetStream: the wire, the outbox, the publisher and the reader, composed."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from functools import partial

from libra_runtime import metrics, stamp
from libra_runtime.chain import require_storable
from libra_runtime.journal import CaughtUp, Fenced, JournalUnavailable, PeerLost, Stored
from libra_runtime.outbox import MAX_ENTRIES, Outbox
from libra_runtime.peer import follow_peer
from libra_runtime.publisher import Publisher
from libra_runtime.reader import Reader
from libra_runtime.settings import Edge
from libra_runtime.stored import Record
from libra_runtime.wire import Wire
from libra_schemas.envelope import Draft
from libra_schemas.errors import LibraError
from libra_schemas.events import Stopped
from libra_schemas.nats import LIFE, PUBLISHES

_OPEN = 5.0
"""Seconds that `open_journal` waits for the claim where the server answers."""

_LAST_WORDS = 1.0


class NatsJournal:
    """See `libra_runtime.journal.Journal`; made by `open_journal` and `open_reader`."""

    def __init__(self, edge: Edge, outbox: Outbox | None) -> None:
        """Start the tasks; without *outbox* this journal only reads."""
        self.node = edge.node
        self.service = edge.service
        self.outbox = outbox
        self.wire = Wire(edge)
        self.changed = asyncio.Event()
        self.publisher = Publisher(self.wire, outbox, self._note) if outbox else None
        self.reader = Reader(self.wire, self._watch if outbox else None)
        metrics.expose("libra_journal", self.figures)
        self._tasks = [asyncio.create_task(self.wire.supervise(), name="wire")]
        if self.publisher is not None:
            self._tasks.append(asyncio.create_task(self.publisher.run(), name="publisher"))
        for task in self._tasks:
            task.add_done_callback(self._ended)

    @property
    def epoch(self) -> int:
        """Which start of this service this is, 0 until the log accepted the claim."""
        return self.publisher.epoch if self.publisher else 0

    @property
    def connected(self) -> bool:
        """Whether events reach the log now."""
        return self._unsaid is None

    @property
    def trouble(self) -> str | None:
        """Say in one sentence why events do not reach the log, or us from there."""
        return self._unsaid or self.wire.deaf

    @property
    def _unsaid(self) -> str | None:
        if self.wire.failure is not None:
            return str(self.wire.failure)
        if self.wire.trouble is not None:
            return self.wire.trouble
        if self.publisher is not None and not self.publisher.taken:
            return self.publisher.trouble
        return self.outbox.spool.trouble if self.outbox else None

    def publish(self, draft: Draft) -> None:
        """Put *draft* into the outbox."""
        self._outbox(draft).put(draft)

    async def append(self, draft: Draft) -> int:
        """Publish and wait for the ack; return the LOG sequence."""
        waiter: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._outbox(draft).put(draft, waiter)
        return await waiter

    async def flush(self) -> None:
        """Wait until everything published so far is acknowledged."""
        self.wire.check()
        if self.outbox is not None and self.outbox.entries:
            waiter: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            self.outbox.entries[-1].waiters.append(waiter)
            await waiter

    def follow(
        self, *types: str, sequence: int | None = None
    ) -> AsyncGenerator[Stored | CaughtUp, None]:
        """Recover, yield `CaughtUp` once, then yield what the log stores, for ever."""
        return self.reader.follow(types, sequence)

    def follow_peer(
        self, node: str, *types: str
    ) -> AsyncGenerator[Stored | CaughtUp | PeerLost, None]:
        """Follow the log of a peer over the link between the nats-servers."""
        return follow_peer(self.wire, node, types)

    def read(
        self, *types: str, first: int = 1, last: int | None = None
    ) -> AsyncGenerator[Stored, None]:
        """Yield LOG from *first* to *last*, then end."""
        return self.reader.read(types, first, last)

    async def before(self, stored: Stored) -> Stored | None:
        """Look up the newest acceptable event of the same register before *stored*."""
        return await self.reader.before(stored)

    async def reject(self, stored: Stored, reason: str) -> None:
        """Put an event that a fold cannot accept into DEAD."""
        self.reader.bury(str(stored.subject), stored.raw, stored.sequence, reason)

    async def close(self, why: str = "") -> None:
        """Publish node.stopped, flush for at most a second, disconnect."""
        if self.outbox is not None and self.connected:
            data = Stopped(service=self.service, why=why)
            self.publish(stamp.draft("node.stopped", (self.service,), data))
            with suppress(LibraError, TimeoutError):
                async with asyncio.timeout(_LAST_WORDS):
                    await self.flush()
        metrics.withdraw("libra_journal")
        await self.reader.close()
        await self._disconnect()
        if self.outbox is not None:
            self.outbox.fail(JournalUnavailable("the journal is closed"))
            self.outbox.spool.close()

    async def _disconnect(self) -> None:
        """End the tasks; a connection that stands is closed, not dropped."""
        wire, *publisher = self._tasks
        for task in publisher:
            task.cancel()
        if self.wire.failure is None:
            self.wire.fail(JournalUnavailable("the journal is closed"))
        await asyncio.wait(self._tasks, timeout=_LAST_WORDS if self.wire.sessions else 0)
        wire.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until events reach the log or it is known why they do not."""
        while self._unsaid is not None:
            self.wire.check()
            if self.wire.current is None and self.wire.tried:
                return  # there is no server, and we know what it looks like
            if self.publisher is not None and self.publisher.refused:
                return
            await self._change()

    async def _change(self) -> None:
        waits = [asyncio.create_task(event.wait()) for event in (self.changed, self.wire.changed)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _outbox(self, draft: Draft) -> Outbox:
        self.wire.check()
        if self.outbox is None:
            raise ValueError("this journal was opened for reading only")
        own = PUBLISHES.get(self.service, ())
        if draft.type.split(".")[0] not in own and (
            draft.type not in LIFE or draft.key != (self.service,)
        ):
            raise ValueError(f"{self.service} may not publish {draft.type} of {draft.key}")
        return self.outbox

    def figures(self) -> dict[str, float]:
        """Say how the journal does, for `/metrics`."""
        told: dict[str, float] = {
            "connected": self.connected,
            "sessions": self.wire.sessions,
            "heard": self.reader.heard,
            "dead_letters": self.reader.dead,
        }
        if self.publisher is not None and self.outbox is not None:
            told |= {
                "epoch": self.publisher.epoch,
                "sent": self.publisher.sent,
                "sent_again": self.publisher.sent_again,
                "outbox_events": len(self.outbox.entries),
                "outbox_bytes": self.outbox.bytes,
            }
        return told

    def _watch(self, record: Record) -> None:
        """End this journal where the log holds a newer claim than ours."""
        if self.publisher is not None and self.outbox is not None:
            try:
                self.publisher.watch(record)
            except Fenced as fenced:
                self._fail(fenced)
                raise

    def _fail(self, failure: LibraError) -> None:
        self.wire.fail(failure)
        if self.outbox is not None:
            self.outbox.fail(failure)

    def _note(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Turn the end of a task into the failure of the journal."""
        if task.cancelled() or task.exception() is None:
            return
        error = task.exception()
        self._fail(error if isinstance(error, LibraError) else JournalUnavailable(repr(error)))


async def open_journal(edge: Edge) -> NatsJournal:
    """Open the journal of a service; return at once where NATS is away (see `trouble`).

    Events published then wait in the spool; the epoch is claimed when the log is there. Raise
    OldServer where the server must not be used, Fenced where a newer process has the claim.
    """
    return await _opened(NatsJournal(edge, open_outbox(edge)))


def open_outbox(edge: Edge, max_entries: int = MAX_ENTRIES) -> Outbox:
    """Open the spooled outbox of a service; raise ValueError for what it could never store."""
    require = partial(require_storable, node=edge.node, service=edge.service)
    return Outbox(edge.state / f"{edge.service}.outbox", require, max_entries)


async def open_reader(edge: Edge) -> NatsJournal:
    """Open the log for reading as the user `edge.service`: no claim, nothing published."""
    return await _opened(NatsJournal(edge, None))


async def _opened(journal: NatsJournal) -> NatsJournal:
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(_OPEN):
                await journal.settled()
    except BaseException:  # also a cancellation leaves no task and no spool behind; raised again
        await journal.close()
        raise
    return journal

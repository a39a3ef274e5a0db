"""What a process hears from its node's log: recovery, the live tail, dead letters."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from libra_runtime.journal import CaughtUp, JournalUnavailable, Stored
from libra_runtime.recovery import Registers, before, recover
from libra_runtime.session import ApiError, Session, SessionLost
from libra_runtime.stored import Record, last_sequence
from libra_runtime.tail import Opened, filters, tail
from libra_runtime.wire import Wire
from libra_schemas.envelope import decode
from libra_schemas.errors import MalformedEvent
from libra_schemas.subjects import Subject, dead_letter

_RETRY = 0.2
_PATIENCE = 10.0
"""Seconds that a read of the past waits for a log that is away."""

_REASON = 512
_LETTER = 64 * 1024
"""Bytes kept of what was no event; all of it stays in the log, at Libra-Sequence."""

_LETTERS = 512
"""Dead letters on their way; the reader waits for them where there are more."""

T = TypeVar("T")


class Reader:
    """Reads the log of one node; `dead` counts what it could not accept."""

    def __init__(self, wire: Wire, watch: Callable[[Record], None] | None = None) -> None:
        """Show every node.started of our own service to *watch*, whatever is followed."""
        self.dead = 0
        self.heard = 0
        self._wire = wire
        self._node = wire.edge.node
        self._watch = watch
        self._started = f"lvs.{self._node}.node.started.{wire.edge.service}"
        self._letters: set[asyncio.Task[None]] = set()

    async def follow(
        self, types: tuple[str, ...], sequence: int | None
    ) -> AsyncGenerator[Stored | CaughtUp, None]:
        """See `libra_runtime.journal.Journal.follow`."""
        registers, first = Registers(), sequence or 1
        if sequence is None:
            registers, recovered = await self._recover(types)
            first = registers.floor + 1
            for known in recovered:
                if wanted(known.subject, types):
                    yield known
        # Read before the tail opens: what is stored in between is live, never claimed as caught up.
        target = await self._end()
        caught_up = False
        async with aclosing(tail(self._wire, self._filters(types), first)) as events:
            async for event in events:
                newest, waiting = first - 1, 0
                if isinstance(event, Opened):
                    waiting = event.pending
                else:
                    record, waiting = event
                    newest = record.sequence
                    stored = self._heard(record, types, registers)
                    if stored is not None:
                        yield stored
                await self._spare()
                if not caught_up and (waiting == 0 or newest >= target):
                    caught_up = True
                    yield CaughtUp(max(newest, target))

    async def read(
        self, types: tuple[str, ...], first: int, last: int | None
    ) -> AsyncGenerator[Stored, None]:
        """See `libra_runtime.journal.Journal.read`; raise JournalUnavailable after 10 s."""
        end = await self._end(_PATIENCE)
        end = end if last is None else min(last, end)
        if first > end:
            return
        async with aclosing(tail(self._wire, filters(self._node, types), first)) as events:
            async for event in events:
                if isinstance(event, Opened):
                    if event.pending == 0:
                        return
                    continue
                record, waiting = event
                stored = self.accept(record) if record.sequence <= end else None
                if stored is not None:
                    yield stored
                await self._spare()
                if waiting == 0 or record.sequence >= end:
                    return

    async def before(self, stored: Stored) -> Stored | None:
        """See `libra_runtime.journal.Journal.before`."""
        subject = str(stored.subject)
        return await self._ask(lambda at: before(at, subject, stored.sequence, self.accept))

    def accept(self, record: Record) -> Stored | None:
        """Decode *record*; put it into the dead letters where it is no event of ours."""
        try:
            subject, event = decode(record.subject, record.raw)
        except MalformedEvent as error:
            self.bury(record.subject, record.raw, record.sequence, str(error))
            return None
        self.heard += 1
        return Stored(event, record.raw, record.sequence, record.time, subject)

    def _filters(self, types: tuple[str, ...]) -> list[str]:
        """Follow our own claims too, so that a thawed process learns that it was replaced."""
        chosen = filters(self._node, types)
        covered = not types or "node" in types or "node.started" in types
        return chosen if covered or self._watch is None else [*chosen, self._started]

    def _heard(self, record: Record, types: tuple[str, ...], registers: Registers) -> Stored | None:
        """Accept a live event; None where it was not asked for or is no news."""
        if self._watch is not None and record.subject == self._started:
            self._watch(record)
        stored = self.accept(record)
        if stored is None or not wanted(stored.subject, types):
            return None
        return stored if registers.is_news(stored) else None

    def bury(self, subject: str, raw: bytes, sequence: int, reason: str) -> None:
        """Put what cannot be accepted into DEAD, counted; never wait for it."""
        self.dead += 1
        letter = asyncio.create_task(self._deliver(subject, raw, sequence, reason))
        self._letters.add(letter)
        letter.add_done_callback(self._letters.discard)

    async def _spare(self) -> None:
        """Wait a second at most where many dead letters are on their way."""
        if len(self._letters) >= _LETTERS:
            await asyncio.wait(self._letters, timeout=1)

    async def _deliver(self, subject: str, raw: bytes, sequence: int, reason: str) -> None:
        service = self._wire.edge.service
        headers = {
            "Nats-Msg-Id": f"{service}-{sequence}",
            "Libra-Subject": subject,
            "Libra-Sequence": str(sequence),
            "Libra-Reason": " ".join(reason[:_REASON].encode("ascii", "replace").decode().split()),
        }
        if len(raw) > _LETTER:
            headers["Libra-Size"] = str(len(raw))
        session = self._wire.current
        if session is not None:
            try:
                await session.publish(dead_letter(self._node, service), raw[:_LETTER], headers)
            except SessionLost:
                return  # it is still in the log, and counted

    async def _recover(self, types: tuple[str, ...]) -> tuple[Registers, list[Stored]]:
        return await self._ask(lambda session: recover(session, self._node, types, self.accept))

    async def _end(self, patience: float | None = None) -> int:
        """Read LOG's newest sequence; raise JournalUnavailable after *patience* seconds."""
        try:
            async with asyncio.timeout(patience):
                return await self._ask(last_sequence)
        except TimeoutError:
            why = self._wire.trouble or "nats-server does not answer"
            raise JournalUnavailable(f"the log cannot be read: {why}") from None

    async def _ask(self, question: Callable[[Session], Awaitable[T]]) -> T:
        """Ask again until the log answers."""
        while True:
            session = await self._wire.session()
            try:
                return await question(session)
            except SessionLost:
                continue
            except (TimeoutError, ApiError):
                await asyncio.sleep(_RETRY)

    async def close(self) -> None:
        """Let the dead letters out."""
        if self._letters:
            await asyncio.wait(self._letters, timeout=1)


def wanted(subject: Subject, types: tuple[str, ...]) -> bool:
    """Say whether *subject* is of one of *types* (a whole type or its first token)."""
    return not types or subject.type in types or subject.type.split(".")[0] in types

"""What the console knows at this moment, and waiting until it knows more."""

import asyncio
from typing import Any

from libra_console import revisions
from libra_console.registers import learn
from libra_runtime.journal import CaughtUp, Journal, Stored
from libra_schemas.config import Config
from libra_schemas.errors import ConfigError
from libra_schemas.intent.fold import Entry, State
from libra_schemas.load import config_from


class Board:
    """The registers of this node, kept up to date by `watch`."""

    def __init__(self) -> None:
        self.registers: State = {}
        self.caught_up = False
        self.config: Config | None = None
        self._sequence = 0
        self._recovering: list[Entry] = []
        self._news = asyncio.Condition()

    async def watch(self, journal: Journal) -> None:
        """Follow the log for ever; first let go what a predecessor left in the outbox."""
        await journal.flush()
        async for item in journal.follow():
            match item:
                case CaughtUp():
                    self.caught_up = True
                    await self._learn(self._recovering, item.sequence)
                    self._recovering = []
                case Stored():
                    entry = Entry(item.sequence, item.subject, item.event)
                    if self.caught_up:
                        await self._learn([entry], item.sequence)
                    else:
                        self._recovering.append(entry)

    async def ready(self) -> None:
        """Wait until everything that was in the log is known."""
        async with self._news:
            await self._news.wait_for(lambda: self.caught_up)

    async def until(self, sequence: int) -> None:
        """Wait until the event *sequence* of LOG is known."""
        async with self._news:
            await self._news.wait_for(lambda: self._sequence >= sequence)

    async def change(self) -> None:
        """Wait for the next event."""
        async with self._news:
            await self._news.wait()

    async def _learn(self, entries: list[Entry], sequence: int) -> None:
        before = revisions.in_force(self.registers)
        self.registers = learn(self.registers, entries)
        if revisions.in_force(self.registers) != before:
            self.config = _readable(revisions.document(self.registers))
        async with self._news:
            self._sequence = max(self._sequence, sequence)
            self._news.notify_all()


def _readable(document: dict[str, Any] | None) -> Config | None:
    """Parse what a console accepted, None where that was one of a newer release."""
    try:
        return config_from(document)
    except ConfigError:
        return None

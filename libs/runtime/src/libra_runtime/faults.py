"""Faults for tests: two worlds with the same verbs, in memory and on a real server."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from libra_runtime.journal import Journal
from libra_runtime.memory import MemoryJournal
from libra_runtime.memory_log import MemoryLog
from libra_runtime.nats_journal import open_journal
from libra_runtime.proxy import Proxy
from libra_runtime.session import Session, open_session
from libra_runtime.stored import last_sequence, newest, page
from libra_runtime.streams import Limits, log_stream
from libra_runtime.testing import TestServer, start_nats
from libra_schemas.nats import ADMIN
from libra_schemas.subjects import DEAD, LOG, STATE


class World(Protocol):
    """A log with its services and what can go wrong with it."""

    async def open(self, service: str = "health") -> Journal:
        """Start a service: its journal has claimed its epoch."""

    async def put(self, subject: str, raw: bytes) -> int:
        """Store foreign bytes; return the LOG sequence."""

    async def dead(self, count: int) -> list[tuple[bytes, str]]:
        """Wait for *count* dead letters; return body and reason of each."""

    async def limit(self, messages: int) -> None:
        """Let LOG hold at most *messages*."""

    async def outage(self) -> None:
        """Take the log away."""

    async def lose_acks(self) -> None:
        """Let the log store but never answer, until the next `heal`."""

    async def last(self) -> int:
        """Read LOG's newest sequence behind every fault."""

    async def settled(self) -> None:
        """Wait until STATE has taken what LOG holds (the last event of a known type)."""

    async def heal(self) -> None:
        """End the fault."""

    async def close(self) -> None:
        """End everything."""


class MemoryWorld:
    """The world of `MemoryJournal`."""

    def __init__(self) -> None:
        self.log = MemoryLog()

    async def open(self, service: str = "health") -> Journal:
        """Start a service."""
        return MemoryJournal("a", service, self.log)

    async def put(self, subject: str, raw: bytes) -> int:
        """Store foreign bytes."""
        return self.log.put(subject, raw)

    async def dead(self, count: int) -> list[tuple[bytes, str]]:
        """Return the dead letters."""
        assert len(self.log.dead) >= count  # noqa: S101 - a test's own world
        return [(raw, reason) for _, raw, reason in self.log.dead]

    async def limit(self, messages: int) -> None:
        """Let the log hold at most *messages*."""
        self.log.limit = messages

    async def outage(self) -> None:
        """Take the log away."""
        self.log.reachable = False

    async def lose_acks(self) -> None:
        """Store without answering."""
        self.log.mute = True

    async def last(self) -> int:
        """Read the newest sequence."""
        return self.log.last

    async def settled(self) -> None:
        """Nothing to wait for."""

    async def heal(self) -> None:
        """End the fault."""
        self.log.heal()

    async def close(self) -> None:
        """Nothing to end."""


class NatsWorld:
    """The world of a real nats-server; services reach it through the proxy.

    With *kill* an outage is `kill -9` of the server, otherwise the link to it is cut. The
    deduplication window is 100 ms, so every outage here outlasts it.
    """

    def __init__(self, server: TestServer, *, kill: bool) -> None:
        self.server = server
        self.kill = kill
        self.proxy = Proxy(server.server.settings.port)
        self._journals: list[Journal] = []
        self._admin: Session | None = None

    @classmethod
    async def start(cls, directory: Path, *, kill: bool = False) -> "NatsWorld":
        """Start a server with its streams, and the proxy before it."""
        world = cls(await asyncio.to_thread(start_nats, directory), kill=kill)
        await world.server.make_streams()
        await world.limit(-1)
        await world.proxy.open()
        return world

    async def open(self, service: str = "health") -> Journal:
        """Start a service."""
        edge = self.server.edge(service, f"nats://127.0.0.1:{self.proxy.port}")
        journal = await open_journal(edge)
        self._journals.append(journal)
        return journal

    async def put(self, subject: str, raw: bytes) -> int:
        """Store foreign bytes as the admin."""
        answer = json.loads((await (await self.admin()).request(subject, raw)).data)
        return int(answer["seq"])

    async def dead(self, count: int) -> list[tuple[bytes, str]]:
        """Wait for *count* dead letters; return body and reason of each."""
        admin = await self.admin()
        async with asyncio.timeout(60):
            while await last_sequence(admin, DEAD) < count:  # noqa: ASYNC110 - a server's state
                await asyncio.sleep(0.02)
        records, _ = await page(admin, DEAD, "dead.>", 1)
        return [(record.raw, record.subject) for record in records]

    async def limit(self, messages: int) -> None:
        """Let LOG hold at most *messages*, and forget ids after 100 ms."""
        config = log_stream("a", Limits(messages=messages))
        config["duplicate_window"] = timedelta(milliseconds=100) // timedelta(microseconds=1) * 1000
        await (await self.admin()).api(f"$JS.API.STREAM.UPDATE.{LOG}", config)

    async def outage(self) -> None:
        """Kill the server, or cut the link to it."""
        if self.kill:
            await asyncio.to_thread(self.server.kill)
        else:
            await self.proxy.cut()

    async def lose_acks(self) -> None:
        """Drop what the server answers."""
        self.proxy.swallow = True

    async def last(self) -> int:
        """Read LOG's newest sequence past the proxy."""
        return await last_sequence(await self.admin())

    async def heal(self) -> None:
        """Bring the server and the link back, after the deduplication window."""
        await asyncio.sleep(0.2)
        if not self.server.server.running:
            await asyncio.to_thread(self.server.restart)
        await self.proxy.cut()
        self.proxy.swallow = False
        await self.proxy.open()

    async def settled(self) -> None:
        """Wait until STATE has taken what LOG holds."""
        admin = await self.admin()
        async with asyncio.timeout(60):
            while await self._behind(admin):  # noqa: ASYNC110 - a server's state
                await asyncio.sleep(0.02)

    async def _behind(self, admin: Session) -> bool:
        end = await newest(admin, STATE, "state.>")
        return end is None or end.sequence < await last_sequence(admin)

    async def admin(self) -> Session:
        """Connect past the proxy."""
        if self._admin is None or self._admin.lost.is_set():
            self._admin = await open_session(self.server.edge(ADMIN), lambda _: None)
        return self._admin

    async def close(self) -> None:
        """End services, proxy and server."""
        for journal in self._journals:
            await journal.close()
        if self._admin is not None:
            await self._admin.close()
        await self.proxy.cut()
        await asyncio.to_thread(self.server.stop)

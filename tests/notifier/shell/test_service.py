"""The notifier as a process, on a real nats-server."""

import asyncio
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from libra_notifier.settings import SERVICE
from libra_runtime import stamp
from libra_runtime.journal import Stored
from libra_runtime.nats_journal import NatsJournal, open_journal
from libra_runtime.testing import TestServer, start_nats
from libra_schemas.canonical import digest
from libra_schemas.envelope import Draft
from libra_schemas.events import BackendState, ConfigApplied, Receipt


class Director:
    """A node with a real log; the tests speak as its health and console."""

    def __init__(self, folder: Path, nats: TestServer) -> None:
        self.folder = folder
        self.nats = nats
        self.journals: dict[str, NatsJournal] = {}
        self.processes: list[asyncio.subprocess.Process] = []

    async def say(self, service: str, draft: Draft) -> int:
        if service not in self.journals:
            self.journals[service] = await open_journal(self.nats.edge(service))
        return await self.journals[service].append(draft)

    async def configure(self, **sinks: Any) -> int:
        document = {"version": 1, "nodes": {"a": {"address": "10.0.0.2"}}, "notify": sinks}
        data = ConfigApplied(number=1, hash=digest(document), document=document, author="eve")
        return await self.say("console", stamp.draft("config.applied", ("cluster",), data))

    async def down(self, backend: str = "w1") -> str:
        """Publish a verdict; return the event's id."""
        data = BackendState.model_validate(
            {
                "service": "web",
                "backend": backend,
                "address": "10.0.1.11",
                "port": 80,
                "protocol": "tcp",
                "target": "0" * 64,
                "up": False,
            }
        )
        draft = stamp.draft("backend.down", ("web", backend), data)
        await self.say("health", draft)
        return draft.id

    async def stored(self, *types: str) -> list[Stored]:
        journal = self.journals["console"]
        return [each async for each in journal.read(*types)]

    async def receipts(self) -> list[Receipt]:
        found = [each.event.data for each in await self.stored("notify")]
        return [data for data in found if isinstance(data, Receipt)]

    async def until_receipts(self, count: int) -> list[Receipt]:
        """Wait until the log holds *count* receipts; return all there are then."""
        found = 0
        log = self.journals["console"].follow("notify", sequence=1)
        async with asyncio.timeout(60), aclosing(log):
            async for item in log:
                found += isinstance(item, Stored)
                if found >= count:
                    break
        return await self.receipts()

    async def start(self) -> asyncio.subprocess.Process:
        """Start the notifier; return once it has recovered."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "libra_notifier",
            stderr=asyncio.subprocess.PIPE,
            env={
                "PATH": os.environ["PATH"],
                "LIBRA_NODE": "a",
                "LIBRA_NATS": self.nats.url,
                "LIBRA_STATE": str(self.folder / "state"),
                "LIBRA_RUN": str(self.folder / "run"),
                "LIBRA_SEED_FILE": str(self.nats.seeds[SERVICE]),
                "LIBRA_METRICS_PORT": "0",
            },
        )
        self.processes.append(process)
        assert process.stderr is not None
        async with asyncio.timeout(60):
            while b'"ready"' not in (line := await process.stderr.readline()):
                assert line, "the notifier ended before it was ready"
        return process

    async def close(self) -> None:
        for process in self.processes:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()
        for journal in self.journals.values():
            await journal.close()


@asynccontextmanager
async def directing(folder: Path) -> AsyncIterator[Director]:
    nats = await asyncio.to_thread(start_nats, folder)
    director = Director(folder, nats)
    try:
        await nats.make_streams()
        yield director
    finally:
        await director.close()
        await asyncio.to_thread(nats.stop)


@pytest.fixture
async def director(tmp_path: Path) -> AsyncIterator[Director]:
    async with directing(tmp_path) as found:
        yield found


@pytest.fixture
def hook(node: Any, receiver: Any) -> dict[str, Any]:
    found: dict[str, Any] = node.webhook(receiver)
    return found


async def test_an_event_of_the_log_reaches_the_receiver_byte_for_byte(
    director: Director, receiver: Any, hook: dict[str, Any]
) -> None:
    await director.configure(ops=hook)
    await director.start()
    event_id = await director.down()
    (receipt,) = await director.until_receipts(1)
    (stored,) = await director.stored("backend")
    assert receiver.bodies == [stored.raw]
    assert receipt.events == (event_id,)
    assert receipt.reader == stored.sequence


async def test_killed_between_delivery_and_receipt_the_key_stays_the_same(
    director: Director, receiver: Any, hook: dict[str, Any], until: Any
) -> None:
    release = asyncio.Event()

    async def answer(_: Any) -> web.Response:
        await release.wait()
        return web.Response()

    receiver.answer = answer
    await director.configure(ops=hook)
    process = await director.start()
    event_id = await director.down()
    await until(lambda: receiver.hooks)
    process.kill()
    await process.wait()
    assert await director.receipts() == []
    release.set()
    await director.start()
    await director.until_receipts(1)
    assert [each.key for each in receiver.hooks] == [f"ops-{event_id}"] * 2
    assert receiver.bodies[0] == receiver.bodies[1]


async def test_killed_again_and_again_it_loses_nothing_and_repeats_only_open_keys(
    director: Director, receiver: Any, hook: dict[str, Any], until: Any
) -> None:
    await director.configure(ops=hook)
    process = await director.start()
    wanted = []
    for number in range(3):
        wanted += [await director.down(f"w{number}-{each}") for each in range(5)]
        await until(lambda least=5 * number + 2: len(receiver.hooks) >= least)
        process.kill()
        await process.wait()
        process = await director.start()
    receipts = await director.until_receipts(15)
    assert {event for receipt in receipts for event in receipt.events} == set(wanted)
    assert {each.key for each in receiver.hooks} == {f"ops-{event}" for event in wanted}
    assert len(receipts) == 15


async def test_a_nats_server_killed_and_restarted_loses_nothing(
    director: Director, receiver: Any, hook: dict[str, Any]
) -> None:
    await director.configure(ops=hook)
    await director.start()
    await director.down("w1")
    await director.until_receipts(1)
    director.nats.kill()
    await asyncio.to_thread(director.nats.restart)
    await director.down("w2")
    receipts = await director.until_receipts(2)
    assert len(receiver.hooks) == len(receipts) == 2


async def test_sigterm_ends_it_in_order(director: Director, hook: dict[str, Any]) -> None:
    await director.configure(ops=hook)
    process = await director.start()
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    stopped = await director.stored("node.stopped")
    assert [each.subject.key for each in stopped] == [(SERVICE,)]


async def test_it_writes_nothing_but_receipts_and_its_own_life(
    director: Director, hook: dict[str, Any]
) -> None:
    await director.configure(ops=hook)
    await director.start()
    await director.down()
    await director.until_receipts(1)
    ours = [each for each in await director.stored() if each.event.source == "/lvs/a/notifier"]
    assert {each.subject.type for each in ours} <= {"node.started", "node.recovered", "notify.sent"}


async def test_as_many_sockets_are_allowed_as_the_hard_limit_does(director: Director) -> None:
    """Two hundred sinks whose receivers hang hold 1,600 of them; the usual soft limit is 1,024."""
    process = await director.start()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE) == (hard, hard)

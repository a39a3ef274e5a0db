"""The whole process against a real nats-server: started, killed, restarted, cut off."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from libra_runtime.journal import Stored
from libra_runtime.nats_journal import NatsJournal, open_journal, open_reader
from libra_runtime.nats_server import free_port
from libra_runtime.stamp import draft
from libra_runtime.testing import TestServer, start_nats
from libra_schemas.canonical import digest
from libra_schemas.events import BackendState, ConfigApplied, Started, Stopped

PATIENCE = 60.0
EVERY, TIMEOUT, FALL = 0.1, 0.1, 3
CHECK = {"http": {}, "every": EVERY, "timeout": TIMEOUT, "rise": 2, "fall": FALL}


class Backend:
    """A real HTTP server in a process of its own, killed by SIGKILL."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.port = free_port()
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        program = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(self.port)]
        quiet = asyncio.subprocess.DEVNULL
        self.process = await asyncio.create_subprocess_exec(
            *program,
            stdout=quiet,
            stderr=quiet,
            cwd=self.root,
        )

    async def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[TestServer]:
    server = start_nats(tmp_path)
    yield server
    server.stop()


@pytest.fixture
async def backend(tmp_path: Path) -> AsyncGenerator[Backend, None]:
    one = Backend(tmp_path)
    await one.start()
    yield one
    await one.kill()


@asynccontextmanager
async def health(
    nats: TestServer, metrics_port: int = 0
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the service; at the end SIGTERM must end it cleanly if it still lives."""
    edge = replace(nats.edge("health"), metrics_port=metrics_port)
    environment = os.environ | edge.environment()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "libra_health", env=environment
    )
    try:
        yield process
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(PATIENCE):
                assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def applied(nats: TestServer, backend: Backend) -> None:
    await nats.make_streams()
    web = {
        "address": "192.0.2.10:80",
        "check": CHECK,
        "backends": {"w1": f"127.0.0.1:{backend.port}"},
    }
    nodes = {"a": {"address": "10.0.0.2"}}
    document: dict[str, Any] = {"version": 1, "nodes": nodes, "services": {"web": web}}
    console = await open_journal(nats.edge("console"))
    data = ConfigApplied(number=1, hash=digest(document), document=document, author="test")
    await console.append(draft("config.applied", ("cluster",), data))
    await console.close()


@asynccontextmanager
async def reading(nats: TestServer) -> AsyncIterator[NatsJournal]:
    journal = await open_reader(nats.edge("console"))
    try:
        yield journal
    finally:
        await journal.close()


async def history(nats: TestServer, *types: str) -> list[Stored]:
    async with reading(nats) as journal:
        return [stored async for stored in journal.read(*types)]


async def verdicts(nats: TestServer) -> list[str]:
    return [stored.event.type for stored in await history(nats, "backend")]


async def until_said(nats: TestServer, *types: str) -> Stored:
    """Wait until the log holds exactly these verdicts; return the last."""
    seen: list[Stored] = []
    async with asyncio.timeout(PATIENCE), reading(nats) as journal:
        async for item in journal.follow("backend", sequence=1):
            if isinstance(item, Stored):
                seen.append(item)
                assert [each.event.type for each in seen] == list(types[: len(seen)])
                if len(seen) == len(types):
                    break
    return seen[-1]


async def test_a_backend_that_dies_is_down_in_time_and_comes_back(
    nats: TestServer, backend: Backend
) -> None:
    await applied(nats, backend)
    async with health(nats):
        up = await until_said(nats, "backend.up")
        assert isinstance(up.event.data, BackendState)
        assert [(e.reason, e.attempt, e.needed) for e in up.event.data.evidence] == [
            ("passed", 2, 2)
        ]
        await backend.kill()
        killed = asyncio.get_running_loop().time()
        down = await until_said(nats, "backend.up", "backend.down")
        took = asyncio.get_running_loop().time() - killed
        assert took < FALL * EVERY + TIMEOUT + 1.0  # a second for two loaded cores
        assert isinstance(down.event.data, BackendState)
        (evidence,) = down.event.data.evidence
        assert (evidence.reason, evidence.attempt) == ("refused", FALL)
        assert evidence.probe == f"http 127.0.0.1:{backend.port}/"
        await backend.start()
        await until_said(nats, "backend.up", "backend.down", "backend.up")


async def test_a_restart_says_nothing_false_and_nothing_twice(
    nats: TestServer, backend: Backend
) -> None:
    await applied(nats, backend)
    async with health(nats) as first:
        await until_said(nats, "backend.up")
        first.kill()
        await first.wait()
    port = free_port()
    async with health(nats, port):
        await checked(port, "passed", 5)
    assert await verdicts(nats) == ["backend.up"]
    lives = await history(nats, "node")
    health_lives = [s.event for s in lives if s.subject.key == ("health",)]
    starts = [event.epoch for event in health_lives if isinstance(event.data, Started)]
    assert starts == [1, 2]
    assert isinstance(health_lives[-1].data, Stopped)


async def checked(port: int, result: str, least: float) -> None:
    """Wait until the service's metrics tell of so many checks with this result."""
    async with asyncio.timeout(PATIENCE):
        while await count_of(port, result) < least:  # noqa: ASYNC110  another process counts
            await asyncio.sleep(0.05)


async def count_of(port: int, result: str) -> float:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return 0.0
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    lines = (await reader.read()).decode().splitlines()
    writer.close()
    name = f'libra_health_results_total{{check="http",result="{result}"}} '
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


async def test_a_verdict_reaches_the_log_in_order_after_an_outage(
    nats: TestServer, backend: Backend
) -> None:
    await applied(nats, backend)
    port = free_port()
    async with health(nats, port):
        await until_said(nats, "backend.up")
        nats.kill()
        await backend.kill()
        before = await count_of(port, "passed")
        await checked(port, "refused", FALL)
        await backend.start()
        await checked(port, "passed", before + 5)
        nats.restart()
        await until_said(nats, "backend.up", "backend.down", "backend.up")


async def test_it_starts_without_the_log_and_catches_up(nats: TestServer, backend: Backend) -> None:
    await applied(nats, backend)
    async with health(nats):
        await until_said(nats, "backend.up")
    nats.kill()
    await backend.kill()
    port = free_port()
    async with health(nats, port):
        await checked(port, "refused", FALL)
        nats.restart()
        await until_said(nats, "backend.up", "backend.down")

"""Every service that follows the log, as a real process, with garbage and forgeries in it.

Each must live on, count what it could not accept, put it where it can be looked at, and handle
the next good event.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from libra_lab.syscalls import CLONE_NEWNET, unshare
from libra_runtime.nats_journal import open_journal, open_reader
from libra_runtime.nats_server import free_port
from libra_runtime.session import Session, open_session
from libra_runtime.stamp import draft, new_id
from libra_runtime.stored import last_sequence, page
from libra_runtime.streams import Limits
from libra_runtime.testing import TestServer, start_nats
from libra_schemas.canonical import digest
from libra_schemas.config import Config
from libra_schemas.events import BackendState, ConfigApplied, EventData, Started
from libra_schemas.nats import ADMIN, MAX_PAYLOAD
from libra_schemas.subjects import DEAD
from libra_schemas.target import target_of

pytestmark = pytest.mark.kernel

PATIENCE = 60.0
LINKS = (
    "link set lo up",
    "link add d0 type veth peer name d1",
    "link set d0 up",
    "link set d1 up",
    "addr add 192.0.2.1/24 dev d0",
)
CONFIG = "lvs.a.config.applied.cluster"
BEFORE: dict[str, Any] = {"version": 1, "nodes": {"a": {"address": "192.0.2.1"}}}
AFTER: dict[str, Any] = BEFORE | {
    "instances": {
        "front": {
            "interface": "d0",
            "vrid": 51,
            "interval": "100ms",
            "addresses": ["192.0.2.10/24"],
        }
    },
    "services": {
        "web": {
            "address": "192.0.2.10:80",
            "forward": "nat",
            "check": {"tcp": {}, "every": "100ms", "fall": 1},
            "backends": {"w1": "127.0.0.1:9"},
        }
    },
    "notify": {"ops": {"program": {"command": ["/bin/true"]}, "match": ["backend.*"]}},
}
WEB = Config.model_validate(AFTER).services["web"]
DOWN = BackendState.model_validate(
    {"service": "web", "backend": "w1", "address": "127.0.0.1", "port": 9, "protocol": "tcp"}
    | {"target": target_of(WEB, WEB.backends["w1"]), "up": False}
)


def applied(number: int, document: dict[str, Any]) -> ConfigApplied:
    return ConfigApplied(number=number, hash=digest(document), document=document, author="test")


def forged(**facts: object) -> bytes:
    """Write a config as only the console may, with *facts* in place of what it would say."""
    envelope: dict[str, object] = {
        "specversion": "1.0",
        "id": new_id(),
        "source": "/lvs/a/console",
        "type": "config.applied",
        "subject": "cluster",
        "time": "2026-01-01T00:00:00Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:libra:schema:config.applied:1",
        "epoch": 1,
        "chainseq": "9",
        "chainprev": "0" * 64,
        "data": applied(9, AFTER).model_dump(mode="json"),
    }
    return json.dumps(envelope | facts).encode()


MALFORMED: tuple[tuple[bytes, dict[str, str]], ...] = (
    (b"", {}),
    (b"\xff\xfe\x00", {}),
    (b"[" * 100_000, {}),
    (b"{}", {"Status": "100"}),
    (b"{}", {"Status": "404", "Nats-Sequence": "x", "Nats-Subject": "y"}),
    (b"x" * (MAX_PAYLOAD - 100), {}),
    (forged(source="/lvs/a/health"), {}),
    (forged(source="/lvs/b/console"), {}),
    (forged(type="backend.down"), {}),
    (forged(subject="all"), {}),
    (forged(chainseq="-1"), {}),
    (forged(epoch=0), {}),
    (forged(data={"number": 9}), {}),
)
UNACCEPTABLE = (
    forged(data=applied(9, BEFORE | {"nodes": {}, "notify": {"x": {}}}).model_dump(mode="json")),
    forged(data=applied(9, AFTER).model_dump(mode="json") | {"hash": "0" * 64}),
)
"""Well-formed, but no config that anybody could hold."""

UNKNOWN = forged(type="weather.rain", subject="all", dataschema="urn:libra:schema:weather.rain:7")


@dataclass(frozen=True, slots=True)
class World:
    """A node's log in a network namespace of its own."""

    server: TestServer
    admin: Session

    async def put(self, subject: str, raw: bytes, headers: dict[str, str] | None = None) -> None:
        answer = json.loads((await self.admin.request(subject, raw, headers, limit=PATIENCE)).data)
        assert "seq" in answer, answer

    async def say(self, service: str, kind: str, key: tuple[str, ...], data: EventData) -> None:
        journal = await open_journal(self.server.edge(service))
        await journal.append(draft(kind, key, data))
        await journal.close()


async def configured(world: World) -> None:
    await world.say("console", "config.applied", ("cluster",), applied(10, AFTER))


async def seen_by_health(world: World) -> None:
    await configured(world)
    await logged(world, "backend.down")


async def seen_by_writer(world: World) -> None:
    await configured(world)
    await logged(world, "table.changed", "table.recorded")


async def seen_by_vrrp(world: World) -> None:
    await configured(world)
    await logged(world, "vrrp.backup")


async def seen_by_notifier(world: World) -> None:
    await configured(world)
    await world.say("health", "backend.down", ("web", "w1"), DOWN)
    await logged(world, "notify.sent")


async def seen_by_console(world: World) -> None:
    path = world.server.edge("console").run / "console.sock"
    await ask(path, "POST", "/v1/config", {"document": AFTER})
    await logged(world, "config.applied")
    await world.say("health", "backend.down", ("web", "w1"), DOWN)
    while b'"w1"' not in await ask(path, "GET", "/v1/status"):  # noqa: ASYNC110 - a process's state
        await asyncio.sleep(0.05)


async def ask(path: Path, method: str, place: str, body: object = None) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path)
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {place} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 200"), answer
    return answer


async def logged(world: World, *kinds: str) -> None:
    """Wait until the log holds a good event of one of *kinds*."""
    journal = await open_reader(world.server.edge("health"))
    try:
        async with aclosing(journal.follow(*kinds, sequence=1)) as events:
            async for event in events:
                if hasattr(event, "event"):
                    return
    finally:
        await journal.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    unshare(CLONE_NEWNET)
    for line in LINKS:
        assert os.system(f"ip {line}") == 0  # noqa: ASYNC221, S605 - fixed lines
    server = start_nats(tmp_path)
    await server.make_streams(Limits(size=256 << 20))
    admin = await open_session(server.edge(ADMIN), lambda _: None)
    yield World(server, admin)
    await admin.close()
    server.stop()


@asynccontextmanager
async def running(
    world: World, service: str, port: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    edge = replace(world.server.edge(service), metrics_port=port)
    environment = os.environ | edge.environment()
    module = f"libra_{service.replace('-', '_')}"
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, env=environment)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def metric(port: int, name: str) -> float:
    """Read one figure; nan while nobody answers."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return float("nan")
    writer.write(b"GET /metrics HTTP/1.1\r\n\r\n")
    lines = (await reader.read()).decode().splitlines()
    writer.close()
    await writer.wait_closed()
    found = [line.split()[1] for line in lines if line.startswith(f"{name} ")]
    return float(found[0]) if found else float("nan")


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    while not await holds():  # noqa: ASYNC110 - another process's state
        await asyncio.sleep(0.05)


async def letters(world: World, service: str) -> int:
    if not await last_sequence(world.admin, DEAD):
        return 0
    records, _ = await page(world.admin, DEAD, f"dead.a.{service}", 1)
    return len(records)


async def lives(world: World, service: str) -> int:
    """Count how often the service started."""
    journal = await open_reader(world.server.edge("health"))
    found = [each async for each in journal.read("node.started")]
    await journal.close()
    data = [each.event.data for each in found]
    return sum(isinstance(each, Started) and each.service == service for each in data)


@pytest.mark.parametrize(
    ("service", "handled"),
    [
        pytest.param("health", seen_by_health, id="health"),
        pytest.param("ipvs-writer", seen_by_writer, id="ipvs-writer"),
        pytest.param("vrrp", seen_by_vrrp, id="vrrp"),
        pytest.param("notifier", seen_by_notifier, id="notifier"),
        pytest.param("console", seen_by_console, id="console"),
    ],
)
async def test_garbage_is_counted_and_buried_and_the_next_event_handled(
    world: World, service: str, handled: Callable[[World], Awaitable[None]]
) -> None:
    port = free_port()
    expected = len(MALFORMED) + (len(UNACCEPTABLE) if service != "console" else 0)

    async def counted() -> bool:
        return await metric(port, "libra_journal_dead_letters") >= expected

    async def buried() -> bool:
        return await letters(world, service) >= expected

    async def claimed() -> bool:
        return await metric(port, "libra_journal_epoch") == 1

    async with running(world, service, port) as process, asyncio.timeout(PATIENCE):
        await until(claimed)
        for raw, headers in MALFORMED:
            await world.put(CONFIG, raw, headers)
        for raw in UNACCEPTABLE:
            await world.put(CONFIG, raw)
        await world.put("lvs.a.weather.rain.all", UNKNOWN)
        await world.put("lvs.a.short", b"x")
        await until(counted)
        await until(buried)
        await handled(world)
        assert process.returncode is None
        assert await lives(world, service) == 1

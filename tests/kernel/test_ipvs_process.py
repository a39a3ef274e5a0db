"""The ipvs-writer as a process: a real nats-server, a real kernel, killed, doubled, restarted."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.holders import NOBODY, holding

from libra_lab.syscalls import CLONE_NEWNET, unshare
from libra_runtime.journal import Stored
from libra_runtime.nats_journal import NatsJournal, open_journal, open_reader
from libra_runtime.stamp import draft
from libra_runtime.streams import Limits
from libra_runtime.testing import TestServer, start_nats
from libra_schemas.canonical import digest
from libra_schemas.config import Config
from libra_schemas.events import BackendState, ConfigApplied, TableChange
from libra_schemas.target import target_of

pytestmark = pytest.mark.kernel

PATIENCE = 60.0
DOCUMENT: dict[str, Any] = {
    "version": 1,
    "nodes": {"a": {"address": "10.0.0.2"}},
    "services": {
        "web": {
            "address": "192.0.2.10:80",
            "forward": "dr",
            "backends": {"w1": "10.0.1.11:80", "w2": "10.0.1.12:80"},
        }
    },
}
CONFIG = Config.model_validate(DOCUMENT)


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[TestServer]:
    unshare(CLONE_NEWNET)
    os.system("ip link set lo up")  # noqa: S605 - a fixed line
    server = start_nats(tmp_path)
    yield server
    server.stop()


async def output(*argv: str) -> str:
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    return (await process.communicate())[0].decode()


async def servers() -> list[str]:
    rules = await output("ipvsadm", "-Sn")
    return [line.split()[4] for line in rules.splitlines() if " -r " in line]


async def shows(*expected: str) -> None:
    found: list[str] = []
    try:
        async with asyncio.timeout(PATIENCE):
            while (found := await servers()) != list(expected):  # noqa: ASYNC110 - the kernel notifies nobody
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"still {found}")


async def start(nats: TestServer, port: int = 0) -> asyncio.subprocess.Process:
    edge = replace(nats.edge("ipvs-writer"), metrics_port=port)
    environment = os.environ | edge.environment()
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "libra_ipvs_writer", env=environment, stderr=asyncio.subprocess.PIPE
    )


@asynccontextmanager
async def writer(nats: TestServer, port: int = 0) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await start(nats, port)
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


@asynccontextmanager
async def prepared(nats: TestServer) -> AsyncIterator[NatsJournal]:
    """Make the streams and apply the config; give the journal that health speaks through."""
    await nats.make_streams(Limits(size=1 << 26))
    console = await open_journal(nats.edge("console"))
    data = ConfigApplied(number=1, hash=digest(DOCUMENT), document=DOCUMENT, author="test")
    await console.append(draft("config.applied", ("cluster",), data))
    await console.close()
    health = await open_journal(nats.edge("health"))
    yield health
    await health.close()


async def verdict(health: NatsJournal, backend: str, *, up: bool) -> None:
    service = CONFIG.services["web"]
    chosen = service.backends[backend]
    data = BackendState(
        service="web",
        backend=backend,
        address=chosen.address.address,
        port=chosen.address.port,
        protocol="tcp",
        target=target_of(service, chosen),
        up=up,
    )
    await health.append(draft(f"backend.{'up' if up else 'down'}", ("web", backend), data))


async def changes(nats: TestServer) -> list[TableChange]:
    reader = await open_reader(nats.edge("console"))
    try:
        found = [each.event.data async for each in reader.read("table.changed")]
    finally:
        await reader.close()
    return [each for each in found if isinstance(each, TableChange)]


W2 = "10.0.1.12"


async def told(nats: TestServer) -> str:
    """Wait until the log tells of an addition of w2; give the address it tells."""
    reader = await open_reader(nats.edge("console"))
    try:
        async with asyncio.timeout(PATIENCE):
            async for each in reader.follow("table.changed", sequence=1):
                data = each.event.data if isinstance(each, Stored) else None
                for done in data.operations if isinstance(data, TableChange) else ():
                    if done.operation.get("destination", {}).get("address") == W2:
                        return W2
    finally:
        await reader.close()
    return ""


async def test_the_table_follows_the_log_through_kill_and_restart(nats: TestServer) -> None:
    async with prepared(nats) as health:
        async with writer(nats) as process:
            await verdict(health, "w1", up=True)
            await verdict(health, "w2", up=True)
            await shows("10.0.1.11:80", "10.0.1.12:80")
            process.kill()
            await process.wait()
        await verdict(health, "w1", up=False)
        assert len(await servers()) == 2
        async with writer(nats):
            await shows("10.0.1.12:80")
    done = [each.operation["op"] for change in await changes(nats) for each in change.operations]
    assert done.count("delete_destination") == 1


async def test_nothing_is_lost_when_nats_is_killed_under_the_writer(nats: TestServer) -> None:
    async with prepared(nats) as health, writer(nats):
        await verdict(health, "w1", up=True)
        await shows("10.0.1.11:80")
        nats.kill()
        await output("ipvsadm", "-C")
        await shows("10.0.1.11:80")
        nats.restart()
        await verdict(health, "w2", up=True)
        await shows("10.0.1.11:80", "10.0.1.12:80")
        assert await told(nats) == W2


async def test_a_second_writer_ends_with_one_sentence(nats: TestServer) -> None:
    async with prepared(nats) as health, writer(nats):
        await verdict(health, "w1", up=True)
        await shows("10.0.1.11:80")
        second = await start(nats)
        _, said = await second.communicate()
        assert second.returncode == 1
        assert said.decode().count("\n") == 1
        assert "Another ipvs-writer already writes this kernel's IPVS table" in said.decode()


async def test_a_stranger_on_the_locks_name_keeps_no_writer_from_work_and_lets_no_second_in(
    nats: TestServer,
) -> None:
    async with prepared(nats) as health:
        with holding("\0libra-ipvs-writer", NOBODY) as pid:
            async with writer(nats) as first:
                await verdict(health, "w1", up=True)
                await shows("10.0.1.11:80")
                second = await start(nats)
                _, said = await second.communicate()
                assert second.returncode == 1
                assert said.decode().startswith("Another ipvs-writer already writes this kernel's")
            assert first.stderr is not None
            lines = [json.loads(line) for line in (await first.stderr.read()).splitlines()]
    [warned] = [line for line in lines if line["level"] == "warning"]
    assert warned["event"].startswith("going on without the claim on this network namespace")
    assert (warned["pid"], warned["uid"]) == (pid, NOBODY)


async def test_metrics_and_health_tell_what_the_kernel_holds(nats: TestServer) -> None:
    port = 19643
    async with prepared(nats) as health, writer(nats, port):
        await verdict(health, "w1", up=True)
        await shows("10.0.1.11:80")
        metrics = await output("curl", "-s", f"http://127.0.0.1:{port}/metrics")
        state = await output("curl", "-s", f"http://127.0.0.1:{port}/healthz")
    labels = 'address="tcp 192.0.2.10:80",backend="10.0.1.11:80",service="web"'
    assert f"libra_backend_weight{{{labels}}} 1.0" in metrics
    assert 'libra_ipvs_operations_total{operation="add_service",result="done"} 1.0' in metrics
    assert state == "healthy\n"

"""table-change: one backend changed in a 10,200-entry table, event published -> kernel.

The real ipvs-writer process on a real nats-server with fsync, once it has said what it filled the
table with; the kernel is watched from outside. In turn with it, so that both meet the same moments
of the machine: the bare hop (a process that knows nothing but one message in, one netlink message
out), which is what the bus, the machine and the watching take. The peer's way to change one server
is a new config: keepalived's reload of the same table.
"""

import asyncio
import os
import signal
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import bare
from bench.keepalived import keepalived, wait_for
from bench.report import Measured, Row, p99
from bench.rows.table_cold import BACKENDS, SERVICES, full, keepalived_config
from libra_ipvs_writer.shell.kernel import Kernel
from libra_lab.topology import Topology
from libra_runtime.journal import Stored
from libra_runtime.nats_journal import NatsJournal, open_journal
from libra_runtime.settings import Edge
from libra_runtime.stamp import draft
from libra_runtime.streams import Limits
from libra_runtime.testing import TestServer, start_nats
from libra_schemas.canonical import digest
from libra_schemas.config import Config
from libra_schemas.events import BackendState, ConfigApplied, TableChange
from libra_schemas.nats import ADMIN
from libra_schemas.table import ServiceKey
from libra_schemas.target import target_of

ROUNDS, CHANGES, RELOADS = 20, 20, 3
P50_MS, P99_MS = 10.0, 60.0
POLL = 0.001


@dataclass(frozen=True, slots=True)
class Way:
    """A way to change a server: *say* publishes it (up or not) and gives the ack to wait for."""

    key: ServiceKey
    say: Callable[[bool], Awaitable[Any]]


@dataclass(slots=True)
class Found:
    """Samples in ms: as seen, as `table.changed` says; *fill*: from a full table to its telling."""

    libra: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    hop: list[float] = field(default_factory=list)
    fill: float = 0.0


DOCUMENT: dict[str, Any] = {
    "version": 1,
    "nodes": {"a": {"address": "10.0.0.2"}},
    "sync": {"enabled": False},
    "services": {
        f"s{number}": {
            "address": f"192.0.2.10:{1000 + number}",
            "forward": "nat",
            "backends": {f"b{each}": f"10.{number}.0.{each + 1}:80" for each in range(BACKENDS)},
        }
        for number in range(SERVICES)
    },
}


def measure() -> Measured:
    """Change one server after another through the log; reload keepalived for the same."""
    with Topology() as topology:
        node = topology.node("libra", {}, sysctls={"net.ipv4.ip_forward": 1})
        found = node.call(_run_libra)
    with Topology() as topology:
        peer = topology.node("peer", {}).call(_peer)
    ways = {"libra": found.libra, "libra's own word": found.told, "bare hop": found.hop}
    more = {"libra, full -> said": found.fill}
    for name, samples in ways.items():
        more |= {f"{name} p50": statistics.median(samples), f"{name} p99": p99(samples)}
    more["libra / hop, p99"] = p99(found.libra) / p99(found.hop)
    return Measured(found.libra, {"bare hop": found.hop, "keepalived reload": peer}, more)


def _run_libra() -> Found:
    with TemporaryDirectory(prefix="libra-bench-") as folder:
        nats = start_nats(Path(folder))
        try:
            return asyncio.run(_libra(nats))
        finally:
            nats.stop()


async def _libra(nats: TestServer) -> Found:
    found = Found()
    await nats.make_streams(Limits(size=1 << 28))
    config = Config.model_validate(DOCUMENT)
    health = await _told(nats, config)
    async with _writer(nats.edge("ipvs-writer")):
        await asyncio.to_thread(wait_for, full, 0.2, "the writer fills the table")
        filled = time.monotonic()
        sequence = await _said(health)
        found.fill = 1000 * (time.monotonic() - filled)
        async with bare.hop(nats.url, nats.seeds[ADMIN]) as say:
            for number in range(ROUNDS):
                found.libra += await _changes(_through_the_log(health, config, number))
                found.hop += await _changes(Way(bare.KEY, say))
        found.told = await _latencies(health, sequence + 1)
    await health.close()
    return found


async def _told(nats: TestServer, config: Config) -> NatsJournal:
    """Put the config and a verdict for every server into the log; give health's journal."""
    console = await open_journal(nats.edge("console"))
    data = ConfigApplied(number=1, hash=digest(DOCUMENT), document=DOCUMENT, author="bench")
    await console.append(draft("config.applied", ("cluster",), data))
    await console.close()
    health = await open_journal(nats.edge("health"))
    for name, service in config.services.items():
        for backend in service.backends:
            health.publish(_verdict(config, name, backend, up=True))
    await health.flush()
    return health


async def _said(journal: NatsJournal) -> int:
    """Wait until the log holds a change of every service; give the sequence of the last."""
    left = {f"s{number}" for number in range(SERVICES)}
    async with asyncio.timeout(60), aclosing(journal.follow("table.changed")) as events:
        async for item in events:
            if isinstance(item, Stored):
                left.discard(item.subject.key[0])
                if not left:
                    return item.sequence
    raise RuntimeError("the log ended")


async def _latencies(journal: NatsJournal, first: int) -> list[float]:
    """Read what `table.changed` says of itself, from *first* on."""
    async with aclosing(journal.read("table.changed", first=first)) as events:
        said = [stored.event.data async for stored in events]
    return [
        each.cause_to_kernel_ms
        for each in said
        if isinstance(each, TableChange) and each.cause_to_kernel_ms is not None
    ]


def _through_the_log(health: NatsJournal, config: Config, number: int) -> Way:
    """Say, as health does, that the first server of service *number* is up or down."""

    def say(up: bool) -> Awaitable[None]:  # noqa: FBT001 - a verdict, not a switch
        health.publish(_verdict(config, f"s{number}", "b0", up=up))
        return health.flush()

    return Way(ServiceKey.of("tcp", "192.0.2.10", 1000 + number), say)


async def _changes(way: Way) -> list[float]:
    """Take a server out and in again, and so on; time each until the kernel shows it."""
    found = []
    with closing(Kernel()) as kernel:
        for number in range(CHANGES):
            up = bool(number % 2)
            shown = partial(_holds, kernel, way.key, BACKENDS if up else BACKENDS - 1)
            started = time.monotonic()
            acknowledged = way.say(up)
            await asyncio.to_thread(wait_for, shown, POLL, "the table changes")
            found.append(1000 * (time.monotonic() - started))
            await acknowledged
    return found


def _holds(kernel: Kernel, key: ServiceKey, wanted: int) -> bool:
    return len(kernel.destinations(key)) == wanted


def _verdict(config: Config, name: str, backend: str, *, up: bool) -> Any:
    service = config.services[name]
    chosen = service.backends[backend]
    data = BackendState(
        service=name,
        backend=backend,
        address=chosen.address.address,
        port=chosen.address.port,
        protocol="tcp",
        target=target_of(service, chosen),
        up=up,
    )
    return draft(f"backend.{'up' if up else 'down'}", (name, backend), data)


@asynccontextmanager
async def _writer(edge: Edge) -> AsyncIterator[None]:
    environment = os.environ | replace(edge, log_level="warning").environment()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "libra_ipvs_writer", env=environment
    )
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await process.wait()


def _peer() -> list[float]:
    """Reload keepalived with one server less, or one more, and wait until the kernel shows it."""
    key = ServiceKey.of("tcp", "192.0.2.10", 1000)
    found = []
    with closing(Kernel()) as kernel, keepalived(keepalived_config(), "--check") as running:
        wait_for(full, 0.2, "keepalived fills the table")
        for number in range(RELOADS * 2):
            wanted = BACKENDS - 1 if number % 2 == 0 else BACKENDS
            running.config.write_text(keepalived_config(BACKENDS - wanted))
            started = time.monotonic()
            running.process.send_signal(signal.SIGHUP)
            wait_for(partial(_holds, kernel, key, wanted), POLL, "keepalived reloads")
            found.append(1000 * (time.monotonic() - started))
    return found


def _met(measured: Measured) -> bool:
    return measured.more["libra p50"] <= P50_MS and measured.more["libra p99"] <= P99_MS


ROW = Row("table-change", "ms", "lab p50 <= 10 ms, p99 <= 60 ms", "lab", measure, _met)

"""table-change: one backend changed in a 10,200-entry table, event published -> kernel.

The real ipvs-writer process on a real nats-server with fsync; the kernel is watched from outside.
The peer's way to change one server is a new config: keepalived's reload of the same table.
"""

import asyncio
import os
import signal
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.keepalived import keepalived, wait_for
from bench.report import Measured, Row
from bench.rows.table_cold import BACKENDS, SERVICES, full, keepalived_config
from libra_ipvs_writer.shell.kernel import Kernel
from libra_lab.topology import Topology
from libra_runtime.nats_journal import NatsJournal, open_journal
from libra_runtime.settings import Edge
from libra_runtime.stamp import draft
from libra_runtime.streams import Limits
from libra_runtime.testing import TestServer, start_nats
from libra_schemas.canonical import digest
from libra_schemas.config import Config
from libra_schemas.events import BackendState, ConfigApplied
from libra_schemas.table import ServiceKey
from libra_schemas.target import target_of

CHANGES, RELOADS = 200, 3
P50_MS, P99_MS = 10.0, 60.0
POLL = 0.001
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
        libra = topology.node("libra", {}, sysctls={"net.ipv4.ip_forward": 1}).call(_run_libra)
    with Topology() as topology:
        peer = topology.node("peer", {}).call(_peer)
    ordered = sorted(libra)
    more = {"libra p50": statistics.median(libra), "libra p99": ordered[len(ordered) * 99 // 100]}
    return Measured(libra, {"keepalived reload": peer}, more)


def _run_libra() -> list[float]:
    with TemporaryDirectory(prefix="libra-bench-") as folder:
        nats = start_nats(Path(folder))
        try:
            return asyncio.run(_libra(nats))
        finally:
            nats.stop()


async def _libra(nats: TestServer) -> list[float]:
    await nats.make_streams(Limits(size=1 << 28))
    config = Config.model_validate(DOCUMENT)
    console = await open_journal(nats.edge("console"))
    data = ConfigApplied(number=1, hash=digest(DOCUMENT), document=DOCUMENT, author="bench")
    await console.append(draft("config.applied", ("cluster",), data))
    await console.close()
    health = await open_journal(nats.edge("health"))
    for name, service in config.services.items():
        for backend in service.backends:
            health.publish(_verdict(config, name, backend, up=True))
    await health.flush()
    async with _writer(nats.edge("ipvs-writer")):
        await asyncio.to_thread(_wait_until_full)
        found = await _changes(health, config)
    await health.close()
    return found


def _wait_until_full() -> None:
    wait_for(full, 0.2, "the writer fills the table")


async def _changes(health: NatsJournal, config: Config) -> list[float]:
    found = []
    with closing(Kernel()) as kernel:
        for number in range(CHANGES):
            name, up = f"s{(number // 2) % SERVICES}", bool(number % 2)
            key = ServiceKey.of("tcp", "192.0.2.10", 1000 + (number // 2) % SERVICES)
            wanted = BACKENDS if up else BACKENDS - 1
            started = time.monotonic()
            health.publish(_verdict(config, name, "b0", up=up))
            shown = partial(_holds, kernel, key, wanted)
            await asyncio.to_thread(wait_for, shown, POLL, "the writer changes the table")
            found.append(1000 * (time.monotonic() - started))
            await health.flush()
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
    environment = os.environ | {
        "LIBRA_NODE": edge.node,
        "LIBRA_NATS": edge.nats,
        "LIBRA_STATE": str(edge.state),
        "LIBRA_RUN": str(edge.run),
        "LIBRA_SEED_FILE": str(edge.seed_file),
        "LIBRA_METRICS_PORT": "0",
        "LIBRA_LOG": "warning",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "libra_ipvs_writer", env=environment
    )
    try:
        yield
    finally:
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

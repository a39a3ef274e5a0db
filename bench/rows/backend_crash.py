"""backend-crash: a backend's process dies (kill -9) -> out of the kernel's table.

LibrA with `hold`, LibrA by polling, and keepalived, each polling every second and taking a server
out after three failures; in turn, at any moment of their second. All processes are real: health,
nats-server with fsync and ipvs-writer on one director, keepalived on another; each way has a
service of its own with one server that dies and one that stays.
"""

import asyncio
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.keepalived import keepalived, wait_for
from bench.report import Measured, Row, repeats
from libra_ipvs_writer.shell.kernel import Kernel
from libra_lab.node import Node
from libra_lab.topology import Topology
from libra_runtime.nats_journal import open_journal
from libra_runtime.stamp import draft
from libra_runtime.streams import Limits
from libra_runtime.testing import TestServer, start_nats
from libra_schemas.canonical import digest
from libra_schemas.events import ConfigApplied
from libra_schemas.table import ServiceKey

TIMES, EVERY, FALL, POOL = 20, 1.0, 3, 2
HOLD_MS = 20.0
POLLING_MS = 1000 * (EVERY * FALL + EVERY)
"""Every x fall, and the timeout."""
POLL = 0.001
SETTLED = 2.5
"""Seconds after which a hold stands again: one until it is tried, one until it counts."""
VIP, SERVER = "192.0.2.10", "10.1.0.9"
PORTS = {"hold": 8081, "polling": 8082, "keepalived": 8083}
STAYS = 1000
"""What is added to a service's port for the server that stays."""
ACCEPTOR = """
import socketserver, sys
class Talk(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            while self.request.recv(4096):
                pass
        except OSError:
            pass
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address, daemon_threads, request_queue_size = True, True, 64
server = Server(("0.0.0.0", int(sys.argv[1])), Talk)
print("ready", flush=True)
server.serve_forever()
"""


@dataclass
class Way:
    """A director that is to notice, its service, and the server that dies."""

    director: Node
    server: Node
    port: int
    process: "subprocess.Popen[str] | None" = None

    def crash(self) -> float:
        """Kill the server at any moment; return milliseconds until the table is without it."""
        self.revive()
        time.sleep(SETTLED + random.random() * EVERY)  # noqa: S311  no secret
        if self.process is None:
            raise RuntimeError("nothing to kill")
        took = self.director.call(_killed, self.process.pid, self.port)
        self.process.wait()
        return took

    def revive(self) -> None:
        """Start the server, and wait until it is in the table."""
        self.process = _accept(self.server, self.port)
        self.director.call(_until, self.port, POOL, 0.05)


def measure() -> Measured:
    """Kill the server of each way in turn."""
    with ExitStack() as stack:
        ways = stack.enter_context(_ways())
        found: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(repeats(TIMES)):
            for name, way in ways.items():
                found[name].append(way.crash())
    peer = {"keepalived": found["keepalived"]}
    return Measured.of(
        {
            "hold": Measured(found["hold"], peer),
            "polling": Measured(found["polling"], peer),
        }
    )


@contextmanager
def _ways() -> Iterator[dict[str, Way]]:
    with Topology() as topology, ExitStack() as stack:
        wire = topology.network("wire")
        server = topology.node("server", {"eth0": (wire, f"{SERVER}/24")})
        libra = topology.node("libra", {"eth0": (wire, "10.1.0.2/24")})
        peer = topology.node("peer", {"eth0": (wire, "10.1.0.3/24")})
        for port in PORTS.values():
            _accept(server, port + STAYS)
        stack.enter_context(_libra(libra))
        stack.enter_context(keepalived(_keepalived_config(), "--check", node=peer))
        directors = {"hold": libra, "polling": libra, "keepalived": peer}
        yield {name: Way(directors[name], server, port) for name, port in PORTS.items()}


def _accept(server: Node, port: int) -> "subprocess.Popen[str]":
    process = server.popen([sys.executable, "-c", ACCEPTOR, str(port)], stdout=subprocess.PIPE)
    if process.stdout is None or process.stdout.readline() != "ready\n":
        raise RuntimeError(f"the server on port {port} did not start")
    return process


@contextmanager
def _libra(node: Node) -> Iterator[None]:
    with TemporaryDirectory(prefix="libra-bench-") as folder:
        nats = node.call(start_nats, Path(folder))
        processes = []
        try:
            node.call(_told, nats)
            for name in ("health", "ipvs-writer"):
                edge = replace(nats.edge(name), log_level="warning")
                module = f"libra_{name.replace('-', '_')}"
                command = [sys.executable, "-m", module]
                processes.append(node.popen(command, environment=os.environ | edge.environment()))
            yield
        finally:
            for process in processes:
                process.terminate()
                process.wait()
            nats.stop()


def _told(nats: TestServer) -> None:
    """Put the config into a log of its own."""

    async def tell() -> None:
        await nats.make_streams(Limits(size=1 << 26))
        console = await open_journal(nats.edge("console"))
        data = ConfigApplied(number=1, hash=digest(DOCUMENT), document=DOCUMENT, author="bench")
        await console.append(draft("config.applied", ("cluster",), data))
        await console.close()

    asyncio.run(tell())


def _service(name: str) -> dict[str, Any]:
    port = PORTS[name]
    check = {"tcp": {}, "every": EVERY, "timeout": EVERY, "rise": 1, "fall": FALL}
    pool = {"dies": f"{SERVER}:{port}", "stays": f"{SERVER}:{port + STAYS}"}
    return {"address": f"{VIP}:{port}", "check": check, "backends": pool, "hold": name == "hold"}


DOCUMENT: dict[str, Any] = {
    "version": 1,
    "nodes": {"a": {"address": "10.1.0.2"}},
    "sync": {"enabled": False},
    "services": {name: _service(name) for name in ("hold", "polling")},
}


def _keepalived_config() -> str:
    port = PORTS["keepalived"]
    servers = "".join(
        f"  real_server {SERVER} {each} {{\n    weight 1\n    TCP_CHECK {{\n"
        f"      connect_timeout {EVERY:.0f}\n      retry {FALL - 1}\n"
        f"      delay_before_retry {EVERY:.0f}\n    }}\n  }}\n"
        for each in (port, port + STAYS)
    )
    return (
        f"virtual_server {VIP} {port} {{\n  delay_loop {EVERY:.0f}\n  lb_algo wlc\n"
        f"  lb_kind NAT\n  protocol TCP\n{servers}}}\n"
    )


def _killed(pid: int, port: int) -> float:
    os.kill(pid, signal.SIGKILL)
    return 1000 * _until(port, POOL - 1, POLL)


def _until(port: int, wanted: int, poll: float) -> float:
    """Wait until this namespace's table holds so many servers of a service."""
    key = ServiceKey.of("tcp", VIP, port)
    with closing(Kernel()) as kernel:
        return wait_for(
            lambda: len(kernel.destinations(key)) == wanted, poll, f"port {port}: {wanted} servers"
        )


def _met(measured: Measured) -> bool:
    hold, polling = measured.cases["hold"], measured.cases["polling"]
    return statistics.median(hold.libra) <= HOLD_MS and max(polling.libra) <= POLLING_MS


ROW = Row(
    "backend-crash",
    "ms",
    "hold: median <= 20 ms; polling: worst <= every x fall + timeout",
    "lab",
    measure,
    _met,
)

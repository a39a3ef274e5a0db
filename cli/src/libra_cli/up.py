"""`libra up`: a whole node on this host, from one command to one Ctrl-C."""

import asyncio
import fcntl
import os
import sys
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from libra_cli import identity, preflight
from libra_cli.exits import MISSING, REFUSED, UNREACHABLE, CommandError
from libra_cli.gateway import ask
from libra_cli.identity import SERVER, Identity
from libra_cli.log import connect
from libra_cli.prepare import prepare
from libra_cli.readiness import first_trouble
from libra_cli.site import Site
from libra_cli.strays import Strays
from libra_cli.supervise import Program, Supervised
from libra_runtime.nats_server import answers
from libra_runtime.run import run
from libra_runtime.settings import METRICS_PORTS
from libra_runtime.streams import init_streams

SERVICES = ("console", "ipvs-writer", "health", "vrrp", "notifier")
"""In the order they are started."""

STOP_ORDER = ("vrrp", "ipvs-writer", "health", "notifier", "console")
"""The address moves to the peer first; nats-server hears everybody's last words."""

SERVER_TIMEOUT = 60.0
READY_TIMEOUT = 180.0
"""Seconds until each answers; a node on a slow machine takes its time."""

GRACE = 15.0
"""Seconds for a process that names its trouble to get over it, before the operator is told."""


@dataclass(frozen=True, slots=True)
class Order:
    """What `libra up` was asked for; *metrics* is the first metrics port, 0 for none."""

    site: Site
    config: Path | None = None
    document: dict[str, Any] | None = None
    services: tuple[str, ...] = SERVICES
    metrics: int = min(METRICS_PORTS.values())
    log_level: str = "info"


def up(order: Order) -> int:
    """Run the node until a signal ends it; return the exit status."""
    failed: list[int] = []

    async def main() -> None:
        try:
            await _run(order)
        except CommandError as error:
            say(str(error))
            failed.append(error.status)

    status = run(main)
    return failed[0] if failed else status


def say(sentence: str) -> None:
    """Tell the operator, beside what the services print."""
    sys.stderr.write(f"libra: {sentence}\n")
    sys.stderr.flush()


async def _run(order: Order) -> None:
    began = time.monotonic()
    lock = _lock(order.site)
    strays = Strays(order.site.run / "up.processes")
    left = await asyncio.to_thread(strays.end)
    if left:
        say(f"ended what an earlier `libra up` left: {', '.join(left)}")
    server = _require(order)
    node = _Node(order, server, strays)
    prepare(order.site, node.who)
    try:
        await node.start()
        say(await _ready(order, began))
        await asyncio.Event().wait()
    finally:
        await node.stop()
        os.close(lock)


def _lock(site: Site) -> int:
    """Take the node's lock until this process ends; raise CommandError where another has it."""
    try:
        site.run.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(site.run / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise CommandError(
            f"{site.run} cannot be used: {error.strerror}; run as root or name another with --run",
            MISSING,
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode().strip()
        raise CommandError(
            f"node {site.node} is up already (process {holder}): end that one first", REFUSED
        ) from None
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _require(order: Order) -> Path:
    """Find the server's binary; raise CommandError with everything that is missing."""
    binary, missing = preflight.find_server()
    missing += preflight.obstacles(order.services, order.site.endpoint, order.metrics)
    if missing:
        raise CommandError("\n".join(missing), MISSING)
    return binary


@dataclass(slots=True)
class _Node:
    """The processes of one node."""

    order: Order
    server: Path
    strays: Strays
    running: dict[str, Supervised] = field(default_factory=dict)
    identities: dict[str, Identity] = field(default_factory=dict)

    def who(self, name: str) -> Identity:
        """Decide once as whom *name* runs; fall back to root where its user cannot read us."""
        if name not in self.identities:
            self.identities[name] = self._readable(name, identity.chosen(name))
        return self.identities[name]

    def _readable(self, name: str, wanted: Identity) -> Identity:
        needed = (self.server,) if name == SERVER else identity.code()
        hidden = identity.reachable(wanted, (*needed, self.order.site.state))
        if hidden is None:
            return wanted
        say(f"{name} runs as root: uid {wanted.uid} may not read {hidden}")
        return Identity(0, wanted.gid)

    async def start(self) -> None:
        """Start nats-server, make the streams, start the services."""
        site = self.order.site
        output = site.state / "nats.log"
        argv = (str(self.server), "-c", str(site.server_config))
        self._start(Program(SERVER, argv, os.environ, self.who(SERVER), output))
        await _await_server(site, output)
        for service in self.order.services:
            self._start(self._service(service))

    def _start(self, program: Program) -> None:
        self.running[program.name] = Supervised(program, self.strays, say)
        self.running[program.name].start()

    def _service(self, service: str) -> Program:
        site = self.order.site
        environ = os.environ | {
            "LIBRA_NODE": site.node,
            "LIBRA_NATS": site.nats,
            "LIBRA_STATE": str(site.state),
            "LIBRA_RUN": str(site.run),
            "LIBRA_SEED_FILE": str(site.seed(service)),
            "LIBRA_METRICS_PORT": str(port_of(self.order, service)),
            "LIBRA_LOG": self.order.log_level,
        }
        environ.pop("LIBRA_CONFIG", None)
        who = self.who(service)
        argv = (program_of(service),)
        return Program(
            service, argv, environ, who, capabilities=identity.capabilities(service, who)
        )

    async def stop(self) -> None:
        """End the services in order, nats-server last."""
        for name in (*STOP_ORDER, SERVER):
            if name in self.running:
                await self.running[name].stop()


def program_of(service: str) -> str:
    """Find the program of *service* beside our own interpreter."""
    return str(Path(sys.executable).with_name(f"libra-{service}"))


def port_of(order: Order, service: str) -> int:
    """Give the metrics port of *service*, 0 for none."""
    first = min(METRICS_PORTS.values())
    return order.metrics + METRICS_PORTS[service] - first if order.metrics else 0


async def _await_server(site: Site, output: Path) -> None:
    """Wait until the server answers and holds the streams; raise CommandError."""
    deadline = time.monotonic() + SERVER_TIMEOUT
    trouble = f"nats-server does not answer on {site.nats}"
    while time.monotonic() < deadline:
        if answers(*site.endpoint):
            try:
                async with AsyncExitStack() as stack:
                    session = await stack.enter_async_context(connect(site))
                    await init_streams(session, site.node, site.limits)
                    return
            except (CommandError, TimeoutError) as error:
                trouble = str(error)
        await asyncio.sleep(0.05)
    raise CommandError(f"{trouble}: {_last_line(output)} (see {output})", UNREACHABLE)


def _last_line(output: Path) -> str:
    lines = output.read_text(errors="replace").splitlines() if output.exists() else []
    return lines[-1] if lines else "it printed nothing"


async def _ready(order: Order, began: float) -> str:
    """Wait until all processes are ready and the config file was offered; say how it is."""
    ports = {service: port_of(order, service) for service in order.services if order.metrics}
    told = await _offer(order) if "console" in order.services else ""
    troubles = await first_trouble(ports, READY_TIMEOUT, GRACE)
    took = time.monotonic() - began
    for name, trouble in troubles.items():
        say(f"{name} is not ready after {took:.0f} s: {trouble}")
    state = "is up" if not troubles else "is up in part"
    return f"node {order.site.node} {state} after {took:.1f} s{told}: {_list(order.services)}"


async def _offer(order: Order) -> str:
    """Offer the config file to the console; tell which revision is in force."""
    await _await_console(order.site)
    if order.document is None:
        return ""
    offer = {
        "document": order.document,
        "author": "libra up",
        "file": str(order.config),
        "rule": "changed",
    }
    status, answer = await asyncio.to_thread(ask, order.site, "POST", "/v1/config", offer)
    if "error" in answer:
        say(f"the config was not changed ({status}): {answer['error']}")
        for problem in answer.get("problems", ()):
            say(f"  {problem['path']}: {problem['message']}")
        return ""
    return f" with revision {answer['number']}"


async def _await_console(site: Site) -> None:
    deadline = time.monotonic() + READY_TIMEOUT
    while time.monotonic() < deadline:
        try:
            status, _ = await asyncio.to_thread(ask, site, "GET", "/healthz")
        except CommandError:
            status = 0
        if status == 200:  # noqa: PLR2004 - HTTP's OK
            return
        await asyncio.sleep(0.1)
    raise CommandError(f"the console is not ready after {READY_TIMEOUT:g} s", UNREACHABLE)


def _list(names: Iterable[str]) -> str:
    return ", ".join((SERVER, *names))

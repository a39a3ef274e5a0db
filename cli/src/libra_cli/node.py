"""The processes of one node: as whom, in which order, with which environment."""

import asyncio
import os
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from libra_cli import identity
from libra_cli.exits import UNREACHABLE, CommandError
from libra_cli.identity import SERVER, Identity
from libra_cli.log import connect
from libra_cli.room import watch_room
from libra_cli.site import Site
from libra_cli.strays import Strays
from libra_cli.supervise import Program, Supervised
from libra_cli.watchdog import Endpoint, watch
from libra_runtime.nats_server import answers
from libra_runtime.settings import METRICS_PORTS
from libra_runtime.streams import init_streams

SERVICES = ("console", "ipvs-writer", "health", "vrrp", "notifier")
"""In the order they are started."""

STOP_ORDER = ("vrrp", "ipvs-writer", "health", "notifier", "console")
"""The address moves to the peer first; nats-server hears everybody's last words."""

SERVER_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Order:
    """What `libra up` was asked for; *metrics* is the first metrics port, 0 for none.

    *marks*: the config file has checks whose packets bear a mark.
    """

    site: Site
    config: Path | None = None
    document: dict[str, Any] | None = None
    services: tuple[str, ...] = SERVICES
    metrics: int = min(METRICS_PORTS.values())
    log_level: str = "info"
    marks: bool = False


def say(sentence: str) -> None:
    """Tell the operator, beside what the services print."""
    sys.stderr.write(f"libra: {sentence}\n")
    sys.stderr.flush()


@dataclass(slots=True)
class Node:
    """The processes of one node."""

    order: Order
    server: Path
    strays: Strays
    running: dict[str, Supervised] = field(default_factory=dict)
    identities: dict[str, Identity] = field(default_factory=dict)
    watchdogs: list[asyncio.Task[None]] = field(default_factory=list)

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
        self._watch(SERVER, Endpoint(*site.endpoint, b""))
        room = watch_room(site, self.running[SERVER].restart, say)
        self.watchdogs.append(asyncio.create_task(room, name="room for the log watched"))
        for service in self.order.services:
            self._start(self._service(service))
            if port := port_of(self.order, service):
                self._watch(service, Endpoint("127.0.0.1", port))

    def _start(self, program: Program) -> None:
        self.running[program.name] = Supervised(program, self.strays, say)
        self.running[program.name].start()

    def _watch(self, name: str, where: Endpoint) -> None:
        program = self.running[name]
        watching = watch(name, where, lambda: program.pid, say)
        self.watchdogs.append(asyncio.create_task(watching, name=f"{name} watched"))

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
        kept = identity.capabilities(service, who, marks=self.order.marks)
        return Program(service, argv, environ, who, capabilities=kept)

    async def stop(self) -> None:
        """End the services in order, nats-server last."""
        for watchdog in self.watchdogs:
            watchdog.cancel()
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

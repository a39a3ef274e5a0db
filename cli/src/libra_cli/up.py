"""`libra up`: a whole node on this host, from one command to one Ctrl-C."""

import asyncio
import fcntl
import os
import time
from collections.abc import Iterable
from pathlib import Path

from libra_cli import preflight
from libra_cli.exits import MISSING, REFUSED, CommandError
from libra_cli.identity import SERVER
from libra_cli.node import Node, Order, port_of, say
from libra_cli.offer import Offer, await_console, offer
from libra_cli.prepare import prepare
from libra_cli.readiness import first_trouble
from libra_cli.site import Site
from libra_cli.strays import Strays
from libra_runtime.run import run

READY_TIMEOUT = 180.0
"""Seconds until each answers; a node on a slow machine takes its time."""

GRACE = 15.0
"""Seconds for a process that names its trouble to get over it, before the operator is told."""


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


async def _run(order: Order) -> None:
    began = time.monotonic()
    lock = _lock(order.site)
    strays = Strays(order.site.run / "up.processes")
    left = await asyncio.to_thread(strays.end)
    if left:
        say(f"ended what an earlier `libra up` left: {', '.join(left)}")
    server = _require(order)
    node = Node(order, server, strays)
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
    await await_console(order.site, READY_TIMEOUT)
    if order.document is None or order.config is None:
        return ""
    try:
        answer = await offer(order.site, Offer(order.document, order.config, "libra up"))
    except CommandError as error:
        say(str(error))
        return ""
    return f" with revision {answer['number']}"


def _list(names: Iterable[str]) -> str:
    return ", ".join((SERVER, *names))

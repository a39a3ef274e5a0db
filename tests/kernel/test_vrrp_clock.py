"""The clock is set while everything runs: nobody becomes master, is down or waits by it."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from libra_runtime.nats_journal import open_journal, open_reader
from libra_runtime.stamp import draft
from libra_runtime.streams import Limits
from libra_runtime.testing import TestServer, start_nats
from libra_schemas.canonical import digest
from libra_schemas.events import ConfigApplied

if TYPE_CHECKING:
    from tests.kernel.conftest import Director, Pair

HOUR, YEAR = 3600.0, 365 * 86400.0
STEPS = (
    *(HOUR, -2 * HOUR, HOUR, 10 * YEAR, -20 * YEAR, 10 * YEAR),
    *(0.3, -0.3, 1.0, -1.0, 3.0, -3.0, 60.0, -60.0, -HOUR, 2 * HOUR, -HOUR),
    *(-10 * YEAR, 20 * YEAR, -10 * YEAR),
)
"""Twenty, which come to nothing: less than an interval and more than a lease too."""
LOOKED_ON = 1.25
"""Seconds after each: longer than a backup waits for a master."""
SERVICES = {"vrrp", "health", "notifier"}

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(
        "User Mode Linux" not in Path("/proc/cpuinfo").read_text(),
        reason="only the lab kernel's clock is ours to set: lab/run --uml",
    ),
]


@contextmanager
def clock() -> Iterator[None]:
    """Put the clock right at the end."""
    wall, began = time.clock_gettime(time.CLOCK_REALTIME), time.monotonic()
    yield
    time.clock_settime(time.CLOCK_REALTIME, wall + time.monotonic() - began)


def step(seconds: float) -> None:
    """Set the clock forward, or back."""
    now = time.clock_gettime(time.CLOCK_REALTIME)
    time.clock_settime(time.CLOCK_REALTIME, now + seconds)


class Hooks(BaseHTTPRequestHandler):
    """Takes webhooks."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        assert isinstance(self.server, Receiver)
        self.server.taken.set()

    def log_message(self, *_: Any) -> None:
        pass


class Receiver(HTTPServer):
    """Does not listen until told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Hooks, bind_and_activate=False)
        self.taken = threading.Event()
        self.server_bind()


def document(pair: "Pair", server: TestServer, url: Path, port: int) -> dict[str, Any]:
    """Write a config with one instance, one backend that lives, one sink."""
    url.write_text(f"http://127.0.0.1:{port}/")
    order = pair.a.order
    return {
        "version": 1,
        "nodes": {"a": {"address": "192.0.2.1"}},
        "instances": {
            "front": {
                "interface": order.interface,
                "vrid": order.vrid,
                "interval": "250ms",
                "priority": {"a": order.priority},
                "addresses": ["192.0.2.10/24"],
            }
        },
        "services": {
            "web": {
                "address": "192.0.2.10:80",
                "check": {"tcp": {}, "every": "1s", "timeout": "1s"},
                "backends": {"w1": server.url.removeprefix("nats://")},
            }
        },
        "notify": {
            "ops": {
                "webhook": {"url_file": str(url)},
                "match": ["backend.*"],
                "retry": {"attempts": 1000, "first": "500ms", "longest": "1s"},
            }
        },
    }


def apply(server: TestServer, config: dict[str, Any]) -> None:
    """Publish a config as the console."""

    async def append() -> None:
        journal = await open_journal(server.edge("console"))
        data = ConfigApplied(number=1, hash=digest(config), document=config, author="test")
        await journal.append(draft("config.applied", ("cluster",), data))
        await journal.close()

    asyncio.run(append())


def said(server: TestServer, kind: str) -> list[Any]:
    """Return the data of every event of a kind in the log, oldest first."""

    async def read() -> list[Any]:
        journal = await open_reader(server.edge("console"))
        found = [stored.event.data async for stored in journal.read(kind)]
        await journal.close()
        return found

    return asyncio.run(read())


def start(director: "Director", server: TestServer, service: str) -> None:
    """Start a service beside libra-vrrp."""
    environment = os.environ | server.edge(service).environment()
    argv = [sys.executable, "-m", f"libra_{service}"]
    director.node.popen(argv, environment=environment)


def test_no_step_of_the_clock_is_anybodys_concern(pair: "Pair", tmp_path: Path) -> None:
    """Not vrrp's, not health's, and a notification that waits is not delayed by it."""
    with clock():
        pair.a.node.call(run, pair, tmp_path)


def run(pair: "Pair", tmp_path: Path) -> None:
    """Run everything on a, in its namespace, while the clock is set."""
    server, receiver = start_nats(tmp_path / "nats", "a"), Receiver()
    try:
        asyncio.run(server.make_streams(Limits(size=64 << 20)))
        begin(pair, server)
        apply(server, document(pair, server, tmp_path / "url", receiver.server_port))
        pair.soon(lambda: said(server, "vrrp.master"), "a is master")
        pair.soon(lambda: said(server, "backend"), "the backend is up")
        pair.b.start()
        pair.soon(pair.b.listens, "b is a backup")
        walk(pair, server)
        receiver.server_activate()
        threading.Thread(target=receiver.handle_request, daemon=True).start()
        assert receiver.taken.wait(10)
    finally:
        receiver.server_close()
        server.stop()


def begin(pair: "Pair", server: TestServer) -> None:
    """Start vrrp without a kept list, health and the notifier."""
    (pair.a.state / "vrrp" / "routers.jsonl").unlink()
    seed = str(server.seeds["vrrp"])
    pair.a.environment = {"LIBRA_NATS": server.url, "LIBRA_SEED_FILE": seed}
    pair.a.start()
    start(pair.a, server, "health")
    start(pair.a, server, "notifier")
    pair.until(lambda: started(server) >= SERVICES, 60, "everybody has started")


def started(server: TestServer) -> set[str]:
    """Return which services the log knows."""
    return {one.service for one in said(server, "node.started")}


def walk(pair: "Pair", server: TestServer) -> None:
    """Set the clock again and again; nothing is to happen for a while each time.

    The log's own age limit goes by the clock: what was there may be gone, nothing may have come.
    """
    before = said(server, "vrrp"), said(server, "backend")
    with pair.client.capture("eth0", "ip proto 112 and src 192.0.2.2") as of_b:
        for seconds in STEPS:
            step(seconds)
            time.sleep(LOOKED_ON)
            assert pair.owners() == ["a"]
        assert of_b.lines == []
    assert not [one for one in said(server, "vrrp") if one not in before[0]]
    assert not [one for one in said(server, "backend") if one not in before[1]]

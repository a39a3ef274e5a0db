"""A resolver that never answers, and a sink beside it whose name is known."""

import asyncio
import json
import os
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from libra_lab.topology import Topology
from libra_runtime.nats_journal import open_journal, open_reader
from libra_runtime.stamp import draft
from libra_runtime.streams import Limits
from libra_runtime.testing import TestServer, start_nats
from libra_schemas.canonical import digest
from libra_schemas.events import BackendState, ConfigApplied

pytestmark = pytest.mark.kernel

EVENTS = 12
OWN_FILES = (
    'mount --bind "$1" /etc/resolv.conf && mount --bind "$2" /etc/hosts && shift 2 && exec "$@"'
)


class Hooks(BaseHTTPRequestHandler):
    """Takes webhooks."""

    backends: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()
        self.backends.append(event["data"]["backend"])

    def log_message(self, *_: Any) -> None:
        pass


def document(folder: Path, port: int) -> dict[str, Any]:
    """Write a config with a sink whose name hangs and one whose name is known."""
    sinks = {}
    for sink, host in {"good": "good.test", "bad": "bad.test", "worse": "worse.test"}.items():
        (folder / sink).write_text(f"http://{host}:{port}/")
        hook = {"url_file": str(folder / sink), "timeout": "300ms"}
        retry = {"first": "10ms", "longest": "20ms", "attempts": 1000}
        sinks[sink] = {"webhook": hook, "match": ["backend.*"], "retry": retry}
    return {"version": 1, "nodes": {"a": {"address": "10.0.0.2"}}, "notify": sinks}


async def say(server: TestServer, service: str, *drafts: Any) -> None:
    """Publish as a service."""
    journal = await open_journal(server.edge(service))
    for each in drafts:
        await journal.append(each)
    await journal.close()


async def knows(server: TestServer, kind: str) -> bool:
    """Say whether the log holds an event of a kind by the notifier."""
    journal = await open_reader(server.edge("console"))
    found = [each async for each in journal.read(kind) if each.subject.key == ("notifier",)]
    await journal.close()
    return bool(found)


def down(backend: str) -> Any:
    """Make a verdict."""
    known = {"service": "web", "backend": backend, "address": "10.0.1.1", "port": 80}
    data = BackendState.model_validate(known | {"protocol": "tcp", "target": "0" * 64, "up": False})
    return draft("backend.down", ("web", backend), data)


def test_a_name_that_hangs_delays_no_other_sink_and_no_end(tmp_path: Path) -> None:
    with Topology() as topology:
        node = topology.node("a", {})
        node.call(tell, node, tmp_path)


def tell(node: Any, folder: Path) -> None:
    """Run the notifier in the node, with a resolver that swallows every question."""
    Hooks.backends.clear()
    server = start_nats(folder / "nats", "a")
    mute = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    hooks = HTTPServer(("127.0.0.1", 0), Hooks)
    try:
        mute.bind(("127.0.0.1", 53))
        threading.Thread(target=hooks.serve_forever, daemon=True).start()
        asyncio.run(server.make_streams(Limits(size=64 << 20)))
        process = start(node, server, folder)
        until(lambda: asyncio.run(knows(server, "node.started")), 60)
        config = document(folder, hooks.server_port)
        applied = ConfigApplied(number=1, hash=digest(config), document=config, author="test")
        asyncio.run(say(server, "console", draft("config.applied", ("cluster",), applied)))
        asyncio.run(say(server, "health", *(down(f"w{n}") for n in range(EVENTS))))
        until(lambda: len(Hooks.backends) == EVENTS, 10)
        asyncio.run(say(server, "health", down("late")))
        until(lambda: "late" in Hooks.backends, 2)
        process.terminate()
        assert process.wait(4) == 0
    finally:
        mute.close()
        hooks.shutdown()
        hooks.server_close()
        server.stop()


def start(node: Any, server: TestServer, folder: Path) -> Any:
    """Start the notifier with a resolv.conf and a hosts file of its own."""
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    (folder / "hosts").write_text("127.0.0.1 localhost good.test\n")
    environment = os.environ | server.edge("notifier").environment()
    files = [str(folder / "resolv.conf"), str(folder / "hosts")]
    argv = ["unshare", "-m", "sh", "-c", OWN_FILES, "sh", *files]
    return node.popen([*argv, sys.executable, "-m", "libra_notifier"], environment=environment)


def until(holds: Any, seconds: float) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {Hooks.backends}"
        time.sleep(0.01)

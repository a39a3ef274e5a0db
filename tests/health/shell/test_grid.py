"""Probes keep their pace whatever is applied beside them, by the clock of the server they reach."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.health.shell.test_health import apply, running, said, until

from libra_runtime.testing import MemoryLog

EVERY = 0.4
"""Seconds; half of it is how late a busy machine may be without a test failing for it."""
CHECK = {"tcp": {}, "every": EVERY, "timeout": 0.3, "rise": 1, "fall": 3}


class Server:
    """Notes when each connection came."""

    def __init__(self, listening: socket.socket) -> None:
        self.port: int = listening.getsockname()[1]
        self.arrivals: list[float] = []


def came(server: Server, number: int) -> bool:
    return len(server.arrivals) >= number


@contextmanager
def serving() -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        server = Server(listening)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                server.arrivals.append(time.monotonic())
                connection.close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def document(steady: int, other: int, **changes: Any) -> dict[str, Any]:
    """Write a config of which only what is steady stays the same."""
    pool = {"w1": {"address": f"127.0.0.1:{steady}", "weight": changes.pop("weight", 1)}}
    if changes.pop("more", False):
        pool["w2"] = {"address": f"127.0.0.1:{other}", "weight": 1}
    services = {
        "web": {"address": "192.0.2.10:80", "check": CHECK, "backends": pool} | changes,
        "dns": {
            "address": "192.0.2.11:80",
            "check": CHECK | {"every": 0.3 + changes.get("quorum", 1) / 10},
            "backends": {"d1": f"127.0.0.1:{other}"},
        },
    }
    return {"version": 1, "nodes": {"a": {"address": "10.0.0.2"}}, "services": services}


CHANGES: list[dict[str, Any]] = [
    {"more": True},
    {"scheduler": "wrr", "weight": 100, "slow_start": "30s"},
    {"damping": {"changes": 3, "within": "1m"}},
    {"max_down": "50%", "more": True},
    {"check": CHECK | {"fall": 5, "rise": 2}},
    {"quorum": 2, "more": True},
    {"sorry": "127.0.0.9:80", "on_failure": "quiesce"},
    {},
]


async def test_what_is_changed_beside_a_probe_moves_it_by_nothing(tmp_path: Path) -> None:

    log = MemoryLog()
    with serving() as steady, serving() as other:
        apply(log, document(steady.port, other.port))
        async with running(log, tmp_path) as (health, _):
            await until(partial(came, steady, 2))
            for number, changes in enumerate(CHANGES, start=2):
                apply(log, document(steady.port, other.port, **changes), number)
                await until(partial(came, steady, len(steady.arrivals) + 1))
            await until(partial(came, steady, len(CHANGES) + 4))
            skipped = health.driver.load.skipped
    turns = [(when - steady.arrivals[0]) / EVERY for when in steady.arrivals]
    assert skipped == 0
    assert [round(turn) for turn in turns] == list(range(len(turns)))  # no gap, none extra
    assert max(abs(turn - round(turn)) for turn in turns) < 0.4
    assert all(0 < after - before < 2 * EVERY for before, after in pairwise(steady.arrivals))
    assert {kind for kind, backend, _ in said(log) if backend == "w1"} == {"backend.up"}

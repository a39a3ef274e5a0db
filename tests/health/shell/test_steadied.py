"""What steadies a verdict, against real servers: the config in, the log out."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.health.shell.test_health import apply, running, states, until

from libra_health.shell.metrics import HealthMetrics
from libra_runtime.testing import MemoryLog
from libra_schemas.events import BackendState

CHECK = {"tcp": {"expect": "OK"}, "every": 0.1, "timeout": 0.1, "rise": 1, "fall": 2}


class Server:
    """Greets while it is well, else says nothing; `close` has it refuse."""

    def __init__(self) -> None:
        self.is_well = True
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        mute: list[socket.socket] = []
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                break
            if self.is_well:
                with suppress(OSError):
                    connection.sendall(b"OK")
                connection.close()
            else:
                mute.append(connection)
        for each in mute:
            each.close()

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()


@contextmanager
def servers(number: int) -> Iterator[list[Server]]:
    made = [Server() for _ in range(number)]
    yield made
    for each in made:
        each.close()


def document(*made: Server, **service: Any) -> dict[str, Any]:
    pool = {
        f"w{n}": {"address": f"127.0.0.1:{each.port}", "weight": 100}
        for n, each in enumerate(made, start=1)
    }
    web = {"address": "192.0.2.10:80", "check": CHECK, "backends": pool} | service
    return {"version": 1, "nodes": {"a": {"address": "10.0.0.2"}}, "services": {"web": web}}


def told(log: MemoryLog, backend: str = "w1") -> list[tuple[str, BackendState]]:
    """List what the log was told of a backend."""
    return [
        (event.type.removeprefix("backend."), event.data)
        for event in states(log)
        if isinstance(event.data, BackendState) and event.data.backend == backend
    ]


def kinds(log: MemoryLog, backend: str = "w1") -> list[str]:
    return [kind for kind, _ in told(log, backend)]


async def test_where_any_check_may_pass_one_is_enough_and_all_are_told(tmp_path: Path) -> None:
    log = MemoryLog()
    with servers(2) as (good, bad):
        bad.is_well = False
        checks = [CHECK | {"port": bad.port}, CHECK]
        apply(log, document(good, check=checks, require="any"))
        async with running(log, tmp_path) as (health, _):
            await until(lambda: kinds(log) == ["up"])
            good.is_well = False
            await until(lambda: kinds(log) == ["up", "down"])
            assert len(health.board.tallies) == 1
    reasons = [each.reason for each in told(log)[-1][1].evidence]
    assert reasons == ["timeout", "timeout"]


async def test_the_guard_withholds_what_is_silent_and_never_what_refuses(tmp_path: Path) -> None:
    log = MemoryLog()
    with servers(2) as (first, second):
        apply(log, document(first, second, max_down=1))
        async with running(log, tmp_path) as (health, _):
            await until(lambda: kinds(log) == kinds(log, "w2") == ["up"])
            first.is_well = False
            await until(lambda: kinds(log) == ["up", "down"])
            second.is_well = False
            await until(lambda: kinds(log, "w2") == ["up", "held"])
            metrics = {
                sample.name
                for family in HealthMetrics(health.driver, health.board, health.holds).collect()
                for sample in family.samples
                if sample.labels.get("backend") == "w2"
            }
        async with running(log, tmp_path):  # a restart lets it go no sooner
            second.close()
            await until(lambda: kinds(log, "w2") == ["up", "held", "down"])
    held = told(log, "w2")[1][1]
    assert (held.up, held.held, held.weight) == (True, True, 1)
    assert [each.reason for each in held.evidence] == ["timeout", "withheld"]
    assert told(log, "w2")[2][1].evidence[0].reason == "refused"
    assert "libra_health_backend_withheld" in metrics


async def test_a_slow_start_goes_on_after_a_restart(tmp_path: Path) -> None:
    log = MemoryLog()
    with servers(1) as (server,):
        apply(log, document(server, slow_start="3s"))
        async with running(log, tmp_path):
            await until(lambda: kinds(log) == ["up"])
            server.is_well = False
            await until(lambda: kinds(log)[-1] == "down")
            server.is_well = True
            await until(lambda: len(told(log)) >= 5)
        before = len(told(log))
        async with running(log, tmp_path):
            await until(lambda: told(log)[-1][1].weight is None)
    weights = [state.weight for _, state in told(log)]
    assert weights == [None, None, 10, 19, 28, 37, 46, 55, 64, 73, 82, 91, None]
    assert kinds(log)[before:] == ["weight"] * (13 - before)


async def test_a_backend_that_flaps_is_held_down_until_it_is_steady(tmp_path: Path) -> None:
    log = MemoryLog()
    damping = {"changes": 2, "within": "1m", "stable": "1s"}
    with servers(1) as (server,):
        apply(log, document(server, damping=damping))
        async with running(log, tmp_path):
            await until(lambda: kinds(log) == ["up"])
            server.is_well = False
            await until(lambda: kinds(log) == ["up", "down"])
            server.is_well = True
            await until(lambda: len(kinds(log)) >= 4)
    assert kinds(log) == ["up", "down", "down", "up"]
    held = told(log)[2][1].evidence
    assert [each.reason for each in held] == ["passed", "damped"]
    assert held[1].detail.startswith("2 changes in 1m, until ")


async def test_a_weight_that_a_file_gives_is_told_and_outlives_a_restart(tmp_path: Path) -> None:
    log, given = MemoryLog(), tmp_path / "weight"
    given.write_text("40\n")
    check = {"file": {"path": str(given), "weight": True}, "every": 0.1, "timeout": 0.1, "rise": 1}
    with servers(1) as (server,):
        apply(log, document(server, check=check))
        async with running(log, tmp_path):
            await until(lambda: told(log)[-1:] and told(log)[-1][1].weight == 40)
            _replace(given, "70\n")
            await until(lambda: told(log)[-1][1].weight == 70)
        async with running(log, tmp_path) as (health, _):
            await until(lambda: health.board.results["file", "passed"] >= 3)
    assert [(kind, state.weight) for kind, state in told(log)] == [("up", 40), ("weight", 70)]
    assert told(log)[-1][1].evidence[0].weight == 70


def _replace(path: Path, words: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(words)
    fresh.replace(path)

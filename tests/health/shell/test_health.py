import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from libra_health.settings import Settings
from libra_health.shell.health import DriverDied, Health
from libra_health.shell.metrics import HealthMetrics
from libra_runtime.settings import Edge
from libra_runtime.stamp import draft
from libra_runtime.testing import MemoryJournal, MemoryLog
from libra_schemas.canonical import digest
from libra_schemas.envelope import Event, decode
from libra_schemas.events import BackendState, ConfigApplied

PATIENCE = 60.0
FAST = {"tcp": {}, "every": 0.05, "timeout": 0.05, "rise": 2, "fall": 2}


@pytest.fixture
def server() -> Any:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        yield listening


@pytest.fixture
def closed_port() -> Any:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def port_of(server: socket.socket) -> int:
    port: int = server.getsockname()[1]
    return port


def document(check: Any = FAST, **backends: int) -> dict[str, Any]:
    pool = {name: f"127.0.0.1:{port}" for name, port in backends.items()}
    web = {"address": "192.0.2.10:80", "check": check, "backends": pool}
    return {"version": 1, "nodes": {"a": {"address": "10.0.0.2"}}, "services": {"web": web}}


def apply(log: MemoryLog, written: dict[str, Any], number: int = 1) -> None:
    console = MemoryJournal(log.node, "console", log)
    data = ConfigApplied(number=number, hash=digest(written), document=written, author="test")
    console.publish(draft("config.applied", ("cluster",), data))


def settings(state: Path, patience: float = 30.0) -> Settings:
    return Settings(Edge("a", "health", "nats://unused", state, state), patience)


@asynccontextmanager
async def running(
    log: MemoryLog, state: Path, patience: float = 30.0
) -> AsyncIterator[tuple[Health, MemoryJournal]]:
    journal = MemoryJournal(log.node, "health", log)
    health = Health(settings(state, patience), journal)
    task = asyncio.create_task(health.run())
    try:
        yield health, journal
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await journal.close()


def states(log: MemoryLog) -> list[Event]:
    """List the verdicts that the log holds."""
    events = (decode(entry.subject, entry.raw)[1] for entry in log.entries)
    return [e for e in events if isinstance(e, Event) and isinstance(e.data, BackendState)]


def said(log: MemoryLog) -> list[tuple[str, str, str]]:
    """List the verdicts as type, backend and reason of the first evidence."""
    return [
        (event.type, event.data.backend, event.data.evidence[0].reason)
        for event in states(log)
        if isinstance(event.data, BackendState)
    ]


async def until_said(log: MemoryLog, *verdicts: tuple[str, str, str]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not set(verdicts) <= set(said(log)):
            await log.stored.wait()


UP, DOWN = ("backend.up", "w1", "passed"), ("backend.down", "w1", "refused")


async def test_a_verdict_is_said_with_its_evidence(tmp_path: Path, server: socket.socket) -> None:
    log = MemoryLog()
    apply(log, document(w1=port_of(server)))
    async with running(log, tmp_path):
        await until_said(log, UP)
        server.close()
        await until_said(log, DOWN)
    last = states(log)[-1]
    data = last.data
    assert isinstance(data, BackendState)
    evidence = data.evidence[0]
    assert (evidence.attempt, evidence.needed, evidence.detail) == (2, 2, "ECONNREFUSED")
    assert evidence.probe == f"tcp 127.0.0.1:{data.port}"
    assert last.configrev == f"1-{digest(document(w1=data.port))}"
    assert said(log) == [UP, DOWN]


async def test_what_a_file_says_is_said_and_what_it_does_not_say_is_not(tmp_path: Path) -> None:
    log, path = MemoryLog(), tmp_path / "w1"
    path.write_text("up\n")
    times = {"every": 0.05, "timeout": 0.05, "rise": 1, "fall": 1}
    apply(log, document({"file": {"path": str(path)}} | times, w1=9))
    async with running(log, tmp_path) as (health, _):
        await until_said(log, UP)
        replace(path, "wip")
        await counted(health, 3)
        assert "neither up, down nor" in str(health.board.unable)
        replace(path, "down\n")
        await until_said(log, ("backend.down", "w1", "content"))
    assert [each[0] for each in said(log)] == ["backend.up", "backend.down"]


async def test_a_programs_exit_status_is_said(tmp_path: Path) -> None:
    log = MemoryLog()
    text = "echo $LIBRA_ADDRESS refuses; exit 4"
    times = {"every": 1, "timeout": 1, "rise": 1, "fall": 1}
    apply(log, document({"exec": {"command": ["/bin/sh", "-c", text]}} | times, w1=9))
    async with running(log, tmp_path):
        await until_said(log, ("backend.down", "w1", "status"))
    data = states(log)[0].data
    assert isinstance(data, BackendState)
    assert data.evidence[0].probe == "exec 127.0.0.1:9 /bin/sh"
    assert data.evidence[0].detail == "exit status 4: '127.0.0.1 refuses\\n'"


def replace(path: Path, text: str) -> None:
    """Have a file hold something else, at once."""
    new = path.with_name("new")
    new.write_text(text)
    new.replace(path)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  made true by the driver's thread
            await asyncio.sleep(0.01)


async def counted(health: Health, number: int) -> None:
    """Wait until so many more checks have run."""
    goal = health.driver.load.runs + number
    await until(lambda: health.driver.load.runs >= goal)


async def test_a_restart_says_nothing_twice_and_nothing_false(
    tmp_path: Path, server: socket.socket
) -> None:
    log = MemoryLog()
    apply(log, document(w1=port_of(server)))
    async with running(log, tmp_path):
        await until_said(log, UP)
    async with running(log, tmp_path) as (health, _):
        await counted(health, 5)
    assert said(log) == [UP]
    server.close()
    async with running(log, tmp_path):
        await until_said(log, DOWN)
    assert said(log) == [UP, DOWN]


async def test_without_the_log_it_starts_from_the_kept_config(
    tmp_path: Path, server: socket.socket
) -> None:
    log = MemoryLog()
    apply(log, document(w1=port_of(server)))
    async with running(log, tmp_path):
        await until_said(log, UP)
    empty = MemoryLog()
    async with running(empty, tmp_path):
        await until_said(empty, UP)
    assert said(empty) == [UP]


async def test_an_apply_leaves_unaffected_probes_alone(
    tmp_path: Path, server: socket.socket, closed_port: int
) -> None:
    log = MemoryLog()
    apply(log, document(w1=port_of(server)))
    async with running(log, tmp_path) as (health, _):
        await until_said(log, UP)
        (steady,) = health.driver.probes
        tally = health.board.tallies["web", "w1"]
        apply(log, document(w1=port_of(server), w2=closed_port), 2)
        await until_said(log, ("backend.down", "w2", "refused"))
        assert steady in health.driver.probes
        assert health.board.tallies["web", "w1"].watch is tally.watch
    assert [entry for entry in said(log) if entry[1] == "w1"] == [UP]


async def test_a_config_that_cannot_be_held_changes_nothing(
    tmp_path: Path, server: socket.socket
) -> None:
    log = MemoryLog()
    apply(log, document(w1=port_of(server)))
    async with running(log, tmp_path) as (health, journal):
        await until_said(log, UP)
        bad = FAST | {"tcp": {"expect": "\\u00e9"}}
        apply(log, document(bad, w1=port_of(server)), 2)
        await until(lambda: journal.rejected)
        await counted(health, 3)
        assert len(health.board.tallies) == 1
    (stored, reason), *others = journal.rejected
    assert (stored.event.type, others) == ("config.applied", [])
    assert "no regular expression: bad escape" in reason
    assert said(log) == [UP]


async def test_an_outage_of_the_log_delays_verdicts_but_keeps_their_order(
    tmp_path: Path, server: socket.socket
) -> None:
    log = MemoryLog()
    apply(log, document(w1=port_of(server)))
    async with running(log, tmp_path) as (health, _):
        await until_said(log, UP)
        log.reachable = False
        server.close()
        await counted(health, 5)
        with socket.create_server(("127.0.0.1", states(log)[0].data.port), backlog=99):  # type: ignore[union-attr]  # a verdict
            await counted(health, 5)
            log.heal()
            await until(lambda: len(said(log)) >= 3)
    assert said(log) == [UP, DOWN, UP]


async def test_a_backend_without_a_check_is_up_at_once(tmp_path: Path) -> None:
    written = document(w1=53)
    del written["services"]["web"]["check"]
    written["services"]["web"] |= {"protocol": "udp", "assume_up": True}
    log = MemoryLog()
    apply(log, written)
    async with running(log, tmp_path):
        await until_said(log, UP)


async def test_it_ends_when_its_driver_dies(tmp_path: Path) -> None:
    journal = MemoryJournal("a", "health", MemoryLog())
    health = Health(settings(tmp_path), journal)

    def broken() -> None:
        raise RuntimeError("no one drives")

    health.driver.call(broken)
    with pytest.raises(ExceptionGroup) as caught:
        await health.run()
    assert caught.group_contains(DriverDied)
    await journal.close()


async def test_it_tells_what_it_does_in_metrics(tmp_path: Path, server: socket.socket) -> None:
    log = MemoryLog()
    apply(log, document(w1=port_of(server)))
    async with running(log, tmp_path) as (health, _):
        await until_said(log, UP)
        samples = {
            (sample.name, *sample.labels.values()): sample.value
            for family in HealthMetrics(health.driver, health.board, health.holds).collect()
            for sample in family.samples
        }
    assert samples["libra_health_backend_up", "web", "w1"] == 1
    assert samples["libra_health_results_total", "tcp", "passed"] >= 2
    assert samples["libra_health_runs_total",] >= 2
    assert samples["libra_health_holds", "holding"] == 0


async def test_a_held_server_that_goes_away_is_down_before_its_checks_notice(
    tmp_path: Path, server: socket.socket
) -> None:
    log = MemoryLog()
    written = document(FAST | {"fall": 1000}, w1=port_of(server))
    written["services"]["web"]["hold"] = True
    apply(log, written)
    async with running(log, tmp_path) as (health, _):
        await until_said(log, UP)
        await until(lambda: health.holds.states()["holding"] == 1)
        await asyncio.sleep(1.1)  # what stood for less than a second says nothing
        server.close()  # what waits in its backlog is reset
        await until_said(log, DOWN)
    data = states(log)[-1].data
    assert isinstance(data, BackendState)
    detail = data.evidence[0].detail
    assert detail.startswith(f"hold 127.0.0.1:{data.port}: connection lost (ECONNRESET), refused")

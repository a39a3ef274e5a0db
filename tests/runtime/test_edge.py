"""The edge of a process: environment, stamps, kept files, run loop, logs, metrics."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tomllib
from datetime import UTC
from pathlib import Path

import pytest

from libra_runtime import VERSION, healthcheck, kept, logs, metrics, stamp
from libra_runtime.nats_server import free_port
from libra_runtime.settings import BadEnvironment, Edge
from libra_schemas.events import Stopped


def test_an_edge_has_the_documented_defaults() -> None:
    edge = Edge.from_environment("ipvs-writer", {"LIBRA_NODE": "a"})
    assert edge == Edge(
        node="a",
        service="ipvs-writer",
        nats="nats://127.0.0.1:4222",
        state=Path("/var/lib/libra/a"),
        run=Path("/run/libra/a"),
        seed_file=None,
        metrics_port=9643,
        log_level="info",
    )


def test_an_edge_takes_what_the_environment_says() -> None:
    edge = Edge.from_environment(
        "health",
        {
            "LIBRA_NODE": "b",
            "LIBRA_NATS": "nats://127.0.0.1:1",
            "LIBRA_STATE": "/s",
            "LIBRA_RUN": "/r",
            "LIBRA_SEED_FILE": "/k",
            "LIBRA_METRICS_PORT": "0",
            "LIBRA_LOG": "debug",
        },
    )
    assert (edge.nats, edge.state, edge.run) == ("nats://127.0.0.1:1", Path("/s"), Path("/r"))
    assert (edge.seed_file, edge.metrics_port, edge.log_level) == (Path("/k"), 0, "debug")


@pytest.mark.parametrize("seed", [None, Path("/k")])
def test_an_edge_is_read_from_the_environment_it_gives(seed: Path | None) -> None:
    edge = Edge("b", "health", "nats://127.0.0.1:1", Path("/s"), Path("/r"), seed, 7, "debug")
    assert Edge.from_environment("health", edge.environment()) == edge


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        pytest.param({}, "LIBRA_NODE is not set", id="no-node"),
        pytest.param({"LIBRA_NODE": "a.b"}, "is no node name", id="dot"),
        pytest.param({"LIBRA_NODE": "all"}, "is no node name", id="reserved"),
        pytest.param({"LIBRA_NODE": "a", "LIBRA_METRICS_PORT": "x"}, "is no port", id="port"),
        pytest.param({"LIBRA_NODE": "a", "LIBRA_METRICS_PORT": "70000"}, "is no port", id="large"),
    ],
)
def test_a_bad_environment_is_refused_with_one_sentence(
    environ: dict[str, str], sentence: str
) -> None:
    with pytest.raises(BadEnvironment, match=sentence):
        Edge.from_environment("health", environ)


def test_ids_are_uuids_of_version_7_and_only_grow() -> None:
    ids = [stamp.new_id() for _ in range(5000)]
    assert ids == sorted(set(ids))
    shape = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
    assert all(shape.fullmatch(each) for each in ids)
    milliseconds = int(ids[-1].replace("-", "")[:12], 16)
    assert abs(milliseconds / 1000 - stamp.now().timestamp()) < 60


def test_a_draft_is_stamped_with_time_and_cause() -> None:
    draft = stamp.draft("node.stopped", ("x",), Stopped(service="x"), cause="c", configrev="1-a")
    assert draft.time.tzinfo is UTC
    assert (draft.causationid, draft.configrev) == ("c", "1-a")


def test_a_kept_file_is_private_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "config"
    assert kept.kept(path) is None
    kept.keep(path, b"one")
    kept.keep(path, b"two")
    assert kept.kept(path) == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_the_version_is_the_package_s() -> None:
    project = Path(__file__).parents[2] / "libs" / "runtime" / "pyproject.toml"
    assert tomllib.loads(project.read_text())["project"]["version"] == VERSION


def script(body: str) -> list[str]:
    lines = [
        "import asyncio, sys",
        "from libra_runtime import logs",
        "from libra_runtime.journal import Fenced",
        "from libra_runtime.run import run",
        "async def main():",
        *(f"    {line}" for line in body.splitlines()),
        "sys.exit(run(main))",
    ]
    return [sys.executable, "-c", "\n".join(lines)]


def test_a_refusal_ends_the_process_with_one_sentence() -> None:
    body = "async with asyncio.TaskGroup() as group:\n    raise Fenced('somebody newer took over')"
    done = subprocess.run(script(body), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "somebody newer took over\n")


def test_a_level_of_logs_that_is_none_is_told_and_does_no_harm() -> None:
    body = "logs.configure('health', 'a', 'nonsense')\nraise Fenced('over')"
    done = subprocess.run(script(body), capture_output=True, text=True, check=False)
    line = json.loads(done.stderr.splitlines()[0])
    assert line["event"] == "LIBRA_LOG is no level of logs, going by info"
    assert line["given"] == "nonsense"
    assert line["known"] == "debug, info, warning, error, critical"


def test_a_mistake_of_ours_is_logged_with_its_traceback() -> None:
    body = "logs.configure('health', 'a')\nraise ZeroDivisionError('ours')"
    done = subprocess.run(script(body), capture_output=True, text=True, check=False)
    line = json.loads(done.stderr)
    assert done.returncode == 70
    assert line["event"] == "process broke"
    assert (line["service"], line["node"], line["level"]) == ("health", "a", "critical")
    assert line["exception"][0]["exc_type"] == "ZeroDivisionError"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_in_order(number: signal.Signals) -> None:
    body = (
        "print('ready', flush=True)\ntry:\n    await asyncio.sleep(60)\nfinally:\n    print('bye')"
    )
    with subprocess.Popen(script(body), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.kill(process.pid, number)
        assert process.stdout.read() == "bye\n"
        assert process.wait(10) == 0


async def ask(port: int, request: bytes) -> bytes:
    async with asyncio.timeout(60):
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    return answer


async def test_health_and_metrics_are_served_on_loopback() -> None:
    port = free_port()
    trouble: list[str] = []
    serving = asyncio.create_task(metrics.serve(port, lambda: trouble[0] if trouble else None))
    metrics.expose("libra_test", lambda: {"answer": 42, "up": True})
    healthy = await ask(port, b"GET /healthz HTTP/1.1\r\n\r\n")
    trouble.append("the log is away")
    sick = await ask(port, b"GET /healthz HTTP/1.1\r\n\r\n")
    page = await ask(port, b"GET /metrics HTTP/1.1\r\n\r\n")
    metrics.withdraw("libra_test")
    serving.cancel()
    await asyncio.wait([serving])
    assert healthy.startswith(b"HTTP/1.1 200 OK\r\n")
    assert sick.startswith(b"HTTP/1.1 503 ")
    assert sick.endswith(b"\r\n\r\nthe log is away\n")
    assert b"\nlibra_test_answer 42.0\n" in page
    assert b"\nlibra_test_up 1.0\n" in page
    assert b"python_info" in page


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        pytest.param(b"HEAD /healthz HTTP/1.1", b"200", id="head"),
        pytest.param(b"GET /healthz?x=1 HTTP/1.1", b"200", id="query"),
        pytest.param(b"GET /nothing HTTP/1.1", b"404", id="unknown"),
        pytest.param(b"POST /metrics HTTP/1.1", b"405", id="post"),
        pytest.param(b"\xff\xfe", b"405", id="noise"),
    ],
)
def test_every_request_has_an_answer(request_line: bytes, status: bytes) -> None:
    answer = metrics.respond(request_line + b"\r\n\r\n", lambda: None)
    assert answer.split(b" ")[1] == status


async def test_a_port_that_is_taken_is_named_and_served_once_it_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    monkeypatch.setattr(logs, "note", lambda _, **facts: said.put_nowait(str(facts)))
    async with asyncio.timeout(60):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            serving = asyncio.create_task(metrics.serve(port, lambda: None))
            taken = f"127.0.0.1:{port}: Address already in use: stop what has it (`ss "
            assert taken in await said.get()
        await said.get()
    assert await asyncio.to_thread(healthcheck.trouble, port) is None
    serving.cancel()


def test_an_answer_names_the_process_as_its_logs_do() -> None:
    program = (
        "from libra_runtime import logs, metrics; logs.configure('health', 'a')\n"
        "print(metrics.respond(b'GET /healthz', lambda: None).decode())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "Libra-Service: health of a" in done.stdout.splitlines()


async def test_port_0_serves_nothing() -> None:
    await metrics.serve(0, lambda: None)


def test_the_journal_is_imported_without_what_it_does_not_need() -> None:
    program = (
        "import sys, libra_runtime.nats_journal, libra_runtime.session as s; s.nats_module();"
        "print([m for m in ('aiohttp', 'prometheus_client', 'structlog', 'cryptography')"
        " if m in sys.modules]); import aiohttp"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"

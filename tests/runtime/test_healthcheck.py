"""The health check of a container believes the service, not the process."""

import asyncio
import os
import re
import socket
import subprocess
import sys

import pytest

from libra_runtime import healthcheck, metrics
from libra_runtime.nats_server import free_port


async def told(health: metrics.Health) -> str | None:
    """Ask a service whose health is *health*."""
    answer = metrics.respond(b"GET /healthz HTTP/1.1\r\n\r\n", health)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        return await asyncio.to_thread(healthcheck.trouble, port)


async def test_a_healthy_service_passes() -> None:
    assert await told(lambda: None) is None


async def test_a_service_that_names_its_trouble_fails_with_that_sentence() -> None:
    assert await told(lambda: "the disk is full") == "the disk is full"


async def test_an_answer_from_outside_the_container_is_no_health(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(healthcheck, "namespace", lambda: "pid:[1]")
    trouble = str(await told(lambda: None))
    assert re.fullmatch(
        r"127\.0\.0\.1:(\d+) is taken by a process outside this container: "
        r"stop it \(`ss -ltnp 'sport = :\1'` on the host names it\)",
        trouble,
    )


def test_a_service_that_does_not_listen_fails() -> None:
    port = free_port()
    assert str(healthcheck.trouble(port)).startswith(f"nothing healthy answers on 127.0.0.1:{port}")


def test_a_service_that_hangs_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(healthcheck, "TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as hung:
        assert "timed out" in str(healthcheck.trouble(hung.getsockname()[1]))


def test_a_service_that_breaks_off_fails() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        async def ask() -> str | None:
            asked = asyncio.create_task(asyncio.to_thread(healthcheck.trouble, port))
            connection, _ = await asyncio.to_thread(server.accept)
            with connection:
                connection.recv(100)
            return await asked

        assert asyncio.run(ask()) == f"127.0.0.1:{port} gave no whole answer"


def test_the_command_exits_1_with_the_sentence() -> None:
    port = free_port()
    done = subprocess.run(
        [sys.executable, "-m", "libra_runtime.healthcheck"],
        env={**os.environ, "LIBRA_METRICS_PORT": str(port)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert str(port) in done.stderr

"""Clients that stall: nobody waits for them, and they cost a bounded time and memory."""

import asyncio
import socket
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import pytest

from libra_console.shell import http
from libra_console.shell.http import Request, Response, listen

ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = "x" * (4 << 20)


async def answer(request: Request) -> Response:
    return Response(HTTPStatus.OK, {"said": LARGE if request.path == "/large" else "hello"})


@pytest.fixture
async def path(tmp_path: Path) -> AsyncIterator[Path]:
    server = await listen(tmp_path / "socket", answer)
    yield tmp_path / "socket"
    server.close()


async def ask(path: Path, request: bytes = ASK) -> bytes:
    async with asyncio.timeout(60):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(request)
        got = await reader.read()
        writer.close()
        return got


async def test_a_client_that_sends_nothing_delays_nobody_and_is_let_go(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "REQUEST_TIMEOUT", 0.5)
    silent = [await asyncio.open_unix_connection(path) for _ in range(50)]
    silent[0][1].write(b"GET / HT")
    assert b"hello" in await ask(path)
    async with asyncio.timeout(60):
        assert [await reader.read() for reader, _ in silent] == [b""] * 50
    for _, writer in silent:
        writer.close()


async def test_a_client_that_reads_nothing_delays_nobody_and_is_dropped(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "RESPONSE_TIMEOUT", 0.3)
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(deaf, str(path))
        await loop.sock_sendall(deaf, ASK.replace(b"/ ", b"/large "))
        assert b"hello" in await ask(path)
        got = 0
        async with asyncio.timeout(60):
            while serving():  # noqa: ASYNC110 - the server's own tasks
                await asyncio.sleep(0.01)
            while more := await loop.sock_recv(deaf, 1 << 20):
                got += len(more)
    assert got < len(LARGE)


def serving() -> bool:
    """Tell whether the server is still busy with a connection."""
    return any("connection" in repr(task.get_coro()) for task in asyncio.all_tasks())


async def test_many_large_requests_at_once_are_refused_beyond_a_bound(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_BODIES", 100_000)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n"
    slow, writer = await asyncio.open_unix_connection(path)
    writer.write(head + bytes(80_000))
    async with asyncio.timeout(60):
        while not (refused := await ask(path, head + bytes(90_000))).startswith(b"HTTP/1.1 503"):
            assert b"hello" in refused
    assert b"too many large requests" in refused
    assert b"hello" in await ask(path)
    writer.write(bytes(10_000))
    assert b"hello" in await slow.read()
    writer.close()
    assert b"hello" in await ask(path, head + bytes(90_000))

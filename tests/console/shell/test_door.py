"""The console's socket may vanish; callers find their way in again."""

import asyncio
import socket
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import pytest

from libra_console.shell import door as module
from libra_console.shell.door import Door
from libra_console.shell.http import Request, Response, listen


async def answer(_: Request) -> Response:
    return Response(HTTPStatus.OK, {"said": "hello"})


@pytest.fixture
async def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    monkeypatch.setattr(module, "_LOOK", 0.01)
    made = Door(tmp_path / "run" / "socket", answer)
    keeping = asyncio.create_task(made.keep(await made.open()))
    yield made
    keeping.cancel()
    await asyncio.wait([keeping])


async def ask(path: Path) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    got = await reader.read()
    writer.close()
    return got


async def well(door: Door) -> None:
    async with asyncio.timeout(60):
        while door.trouble:  # noqa: ASYNC110 - a file has no event to wait for
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("what", ["the socket", "its directory"])
async def test_a_socket_that_is_gone_is_told_and_made_anew(
    door: Door, tmp_path: Path, what: str
) -> None:
    assert door.trouble is None
    path = tmp_path / "run" / "socket"
    path.unlink()
    if what == "its directory":
        path.parent.rmdir()
    assert door.trouble == f"the socket {path} is gone; it is made anew"
    await well(door)
    assert b"hello" in await ask(path)


async def test_another_process_in_our_place_is_told_and_left_alone(
    door: Door, tmp_path: Path
) -> None:
    path = tmp_path / "run" / "socket"
    async with await listen(path, answer):
        for _ in range(10):
            await asyncio.sleep(0.01)
            assert "another process listens on" in str(door.trouble)
    path.unlink(missing_ok=True)
    await well(door)
    assert b"hello" in await ask(path)


@pytest.mark.parametrize("what", ["a file", "a dead socket"])
async def test_what_nobody_listens_on_is_replaced(door: Door, tmp_path: Path, what: str) -> None:
    path = tmp_path / "run" / "socket"
    path.unlink()
    if what == "a file":
        path.write_text("no socket")
    else:
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
    assert door.trouble == f"nobody listens on {path}; the socket is made anew"
    await well(door)
    assert b"hello" in await ask(path)

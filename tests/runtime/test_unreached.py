"""A NATS server that is not there, or silent, is told in words of our own."""

import asyncio
import socket
from errno import EHOSTUNREACH
from pathlib import Path
from socket import EAI_NONAME, gaierror

import pytest

from libra_runtime.journal import Unreached
from libra_runtime.nats_server import free_port
from libra_runtime.session import open_session
from libra_runtime.settings import Edge


async def refusal(edge: Edge) -> str:
    with pytest.raises(Unreached) as found:
        await open_session(edge, lambda _: None)
    return str(found.value)


def edge(port: int) -> Edge:
    nowhere = Path("/nonexistent")
    return Edge("a", "health", f"nats://127.0.0.1:{port}", nowhere, nowhere, None, 0)


async def test_where_nobody_listens_it_is_said() -> None:
    port = free_port()
    assert await refusal(edge(port)) == f"nats://127.0.0.1:{port}: no nats-server listens there"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param(
            gaierror(EAI_NONAME, "Name or service not known"),
            "Name or service not known",
            id="unknown host",
        ),
        pytest.param(
            OSError(EHOSTUNREACH, "Connect call failed ('192.0.2.1', 4222)"),
            "No route to host",
            id="no route",
        ),
        pytest.param(
            OSError(
                "Multiple exceptions: [Errno 111] Connect call failed ('::1', 4222, 0, 0), "
                "[Errno 111] Connect call failed ('127.0.0.1', 4222)"
            ),
            "no nats-server listens there",
            id="refused on every address",
        ),
        pytest.param(TimeoutError(), "nats-server does not answer", id="silence"),
    ],
)
async def test_what_keeps_us_from_the_server_is_said_in_its_own_words(
    monkeypatch: pytest.MonkeyPatch, error: OSError, words: str
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(asyncio, "open_connection", fail)
    assert await refusal(edge(4222)) == f"nats://127.0.0.1:4222: {words}"


async def test_who_listens_and_says_nothing_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert await refusal(edge(port)) == f"nats://127.0.0.1:{port}: nats-server does not answer"

"""A NATS server that is not there, or silent, is told in words of our own."""

import socket
from pathlib import Path

import pytest

from libra_runtime.journal import JournalUnavailable
from libra_runtime.nats_server import free_port
from libra_runtime.session import open_session
from libra_runtime.settings import Edge


async def refusal(edge: Edge) -> str:
    with pytest.raises(JournalUnavailable) as found:
        await open_session(edge, lambda _: None)
    return str(found.value)


def edge(port: int) -> Edge:
    nowhere = Path("/nonexistent")
    return Edge("a", "health", f"nats://127.0.0.1:{port}", nowhere, nowhere, None, 0)


async def test_where_nobody_listens_it_is_said() -> None:
    port = free_port()
    assert await refusal(edge(port)) == f"nats://127.0.0.1:{port}: no nats-server listens there"


async def test_who_listens_and_says_nothing_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert await refusal(edge(port)) == f"nats://127.0.0.1:{port}: nats-server does not answer"

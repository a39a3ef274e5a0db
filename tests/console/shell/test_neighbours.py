"""What the other services say of themselves."""

import asyncio
import socket
from contextlib import ExitStack, suppress

import pytest

from libra_console.shell.neighbours import PATIENCE, troubles
from libra_console.waiting import SILENT
from libra_runtime import metrics
from libra_runtime.nats_server import free_port


def free_ports(number: int) -> int:
    """Find so many free ports in a row; give the first."""
    while True:
        first = free_port()
        with ExitStack() as stack, suppress(OSError, OverflowError):
            for port in range(first, first + number):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
            return first


async def test_each_service_is_asked_on_its_port_and_silence_delays_nobody_for_long() -> None:
    port = free_ports(5)
    served = [
        asyncio.create_task(metrics.serve(port + 1, lambda: None, "health of a")),
        asyncio.create_task(
            metrics.serve(port + 2, lambda: "the machine has not been heard", "vrrp of a")
        ),
    ]
    with ExitStack() as stack:
        stack.enter_context(socket.create_server(("127.0.0.1", port + 3)))
        async with asyncio.timeout(PATIENCE * 10):
            said = await troubles("a", port)
            while said["health"] is not None or said["vrrp"] == SILENT:
                said = await troubles("a", port)
        assert said == {
            "health": None,
            "vrrp": "the machine has not been heard",
            "ipvs-writer": SILENT,
            "notifier": SILENT,
        }
    for each in served:
        each.cancel()


async def test_without_ports_nobody_is_asked() -> None:
    assert await troubles("a", 0) == {}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\nhello", id="a web server"),
        pytest.param(
            metrics.respond(b"GET /healthz HTTP/1.1\r\n\r\n", lambda: None, "health of b"),
            id="another node's service",
        ),
        pytest.param(
            metrics.respond(b"GET /healthz HTTP/1.1\r\n\r\n", lambda: None, "vrrp of a"),
            id="another service",
        ),
    ],
)
async def test_an_answer_of_another_process_is_not_the_services(answer: bytes) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    port = free_ports(5)
    async with await asyncio.start_server(say, "127.0.0.1", port + 1):
        said = (await troubles("a", port))["health"]
    assert said == (
        f"127.0.0.1:{port + 1} is taken by another process: stop it "
        f"(`ss -ltnp 'sport = :{port + 1}'` on the host names it)"
    )

"""What the other services say of themselves."""

import asyncio
import socket
from contextlib import ExitStack, suppress

from libra_console.shell.neighbours import PATIENCE, SILENT, troubles
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
        asyncio.create_task(metrics.serve(port + 1, lambda: None)),
        asyncio.create_task(metrics.serve(port + 2, lambda: "the machine has not been heard")),
    ]
    with ExitStack() as stack:
        stack.enter_context(socket.create_server(("127.0.0.1", port + 3)))
        async with asyncio.timeout(PATIENCE * 10):
            said = await troubles(port)
            while said["health"] is not None or said["vrrp"] == SILENT:
                said = await troubles(port)
        assert said == {
            "health": None,
            "vrrp": "the machine has not been heard",
            "ipvs-writer": SILENT,
            "notifier": SILENT,
        }
    for each in served:
        each.cancel()


async def test_without_ports_nobody_is_asked() -> None:
    assert await troubles(0) == {}

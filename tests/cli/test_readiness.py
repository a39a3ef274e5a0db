"""Readiness: each process's own word."""

import asyncio

from libra_cli.readiness import SILENT, first_trouble, health
from libra_runtime import metrics
from libra_runtime.nats_server import free_port


async def answering(port: int, trouble: str | None) -> "asyncio.Task[None]":
    task = asyncio.create_task(metrics.serve(port, lambda: trouble))
    async with asyncio.timeout(60):
        while await health(port) == SILENT:  # noqa: ASYNC110 - a port raises no event
            await asyncio.sleep(0.01)
    return task


async def test_healthy_processes_leave_no_trouble() -> None:
    port = free_port()
    task = await answering(port, None)
    assert await first_trouble({"health": port}, 5, 5) == {}
    task.cancel()


async def test_a_process_that_names_its_trouble_is_not_waited_for_as_long_as_a_silent_one() -> None:
    port = free_port()
    task = await answering(port, "ip_forward is 0")
    async with asyncio.timeout(30):
        assert await first_trouble({"writer": port}, 60, 0.2) == {"writer": "ip_forward is 0"}
    task.cancel()


async def test_a_silent_process_is_named_after_its_time() -> None:
    assert await first_trouble({"vrrp": free_port()}, 0.2, 60) == {"vrrp": SILENT}

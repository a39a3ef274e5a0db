"""What the reporter tells of the machine, which is the test at the other end of the line."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from libra_runtime.memory import MemoryJournal
from libra_runtime.memory_log import MemoryLog
from libra_runtime.nats_server import free_port
from libra_runtime.stamp import draft
from libra_schemas.canonical import digest
from libra_schemas.events import ConfigApplied
from libra_vrrp import reports
from libra_vrrp.reports import Awake, Numbered, Transition
from libra_vrrp.shell import reporter
from libra_vrrp.shell.intake import Intake
from libra_vrrp.shell.line import Line
from libra_vrrp.shell.reporter import Reporter

PATIENCE = 60.0
GONE = "interface eth0 is gone"


@dataclass
class World:
    """A running reporter, the console, and the machine's end of its line."""

    console: MemoryJournal
    machine: socket.socket
    port: int

    def apply(self, number: int, *names: str) -> None:
        """Apply a config with these instances."""
        front = {"interface": "eth0", "priority": {"a": 150}}
        document: dict[str, Any] = {
            "version": 1,
            "nodes": {"a": {"address": "192.0.2.1"}},
            "instances": {
                name: {**front, "vrid": vrid, "addresses": [f"192.0.2.{vrid}/24"]}
                for vrid, name in enumerate(names, 51)
            },
        }
        data = ConfigApplied(number=number, hash=digest(document), document=document, author="test")
        self.console.publish(draft("config.applied", ("cluster",), data))

    def greet(self) -> None:
        """Say that the machine is there; reports count from then on."""
        self.machine.send(reports.dumps(Numbered("1", 0, Awake())))

    def fault(self, name: str) -> None:
        """Say that an instance is in fault, as the machine does."""
        places = ("192.0.2.51",)
        fault = Transition(
            name, "fault", None, "fault", GONE, 51, "eth0", 150, 1.0, places, None, 0.0, time.time()
        )
        self.machine.send(reports.dumps(Numbered("1", 0, fault)))

    async def health(self) -> str:
        """Return what the reporter's health check answers, the machine being alive."""
        self.greet()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except ConnectionRefusedError:
            return ""
        writer.write(b"GET /healthz HTTP/1.0\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return answer.decode()

    async def until(self, sentence: str) -> None:
        """Wait for an answer with *sentence* in it."""
        async with asyncio.timeout(PATIENCE):
            while sentence not in await self.health():  # noqa: ASYNC110 - a health check is polled
                await asyncio.sleep(0.02)


@asynccontextmanager
async def reporting(directory: Path) -> AsyncIterator[World]:
    """Run a reporter with a log in memory."""
    machine, line = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    machine.setblocking(False)
    log = MemoryLog("a")
    journal = MemoryJournal("a", "vrrp", log)
    source = Intake("a", journal, asyncio.Event())
    running = Reporter("a", directory / "routers.jsonl", Line(line), journal, source)
    world = World(MemoryJournal("a", "console", log), machine, free_port())
    task = asyncio.create_task(running.run(world.port))
    with machine, line:
        try:
            yield world
        finally:
            task.cancel()
            await asyncio.wait({task})
            asyncio.get_running_loop().remove_reader(line.fileno())
            await journal.close()
            await world.console.close()


async def test_the_health_check_tells_faults_of_the_config_and_a_machine_that_is_not_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with reporting(tmp_path) as world:
        world.apply(1, "front", "back")
        world.greet()
        for name in ("front", "back"):
            world.fault(name)
        await world.until(f"back is in fault: {GONE}")
        world.apply(2, "front")
        await world.until(f"\r\n\r\nfront is in fault: {GONE}\n")
        world.apply(3)
        await world.until("200 OK")
        monkeypatch.setattr(reporter, "SILENCE", -1.0)
        await world.until("the machine has not been heard for 0 s: ")
        await world.until("if there are none it hangs, so restart libra-vrrp")

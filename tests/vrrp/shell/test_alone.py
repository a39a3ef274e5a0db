"""A reporter that works alone: a file in, lines of its log out, NATS or not."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from libra_runtime.healthcheck import trouble
from libra_runtime.nats_server import free_port
from libra_vrrp import kept, orders, reports
from libra_vrrp.orders import Order, Routers
from libra_vrrp.reports import Awake, Farewell, Numbered, Reread, Transition
from libra_vrrp.why import Why

PATIENCE = 60.0
CONFIG = """\
version: 1
nodes: {a: {address: 192.0.2.1}}
instances:
  front: {interface: eth0, vrid: 51, addresses: [192.0.2.10/24]}
"""
WHY = Why.TIMER.value
MASTER = Transition(
    instance="front",
    state="master",
    previous="backup",
    why=WHY,
    detail="",
    vrid=51,
    interface="eth0",
    priority=100,
    interval=1.0,
    addresses=(),
    master=None,
    took=0.25,
    at=1000.0,
    taken=(1000.0, 0.25, WHY),
)


@dataclass
class World:
    """A reporter that runs, its file, and the machine's end of its line."""

    directory: Path
    machine: socket.socket
    process: "subprocess.Popen[bytes]"
    port: int

    @property
    def config(self) -> Path:
        """The file."""
        return self.directory / "libra.yaml"

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of a kind."""
        lines = map(json.loads, (self.directory / "log").read_text().splitlines())
        return [one for one in lines if one["event"] == event]

    def heard(self) -> list[Order]:
        """Return what the machine was told since the last call."""
        found: list[Order] = []
        with suppress(BlockingIOError):
            while True:
                found.append(orders.loads(self.machine.recv(1 << 18)))
        return found

    def vrids(self) -> list[int]:
        """Return the routers that are kept for the machine."""
        file = self.directory / "state/vrrp/routers.jsonl"
        return [one.vrid for one in kept.load_instances(file.read_bytes())] if file.exists() else []

    def health(self) -> str | None:
        """Return what the health check says, the machine being alive."""
        self.machine.send(reports.dumps(Numbered("1", 0, Awake())))
        return trouble(self.port)

    def until(self, holds: Callable[[], object]) -> None:
        """Wait for it."""
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline
            assert self.process.poll() is None, (self.directory / "log").read_text()
            time.sleep(0.02)


@contextmanager
def reporting(directory: Path, **told: str) -> Iterator[World]:
    """Run a reporter that works alone, until the machine has ended for good."""
    machine, line = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    machine.setblocking(False)
    port = free_port()
    plain = {name: value for name, value in os.environ.items() if not name.startswith("LIBRA_")}
    place = {"LIBRA_NODE": "a", "LIBRA_STATE": str(directory / "state")}
    (directory / "libra.yaml").write_text(CONFIG)
    routers = directory / "state/vrrp/routers.jsonl"
    arguments = [str(routers), str(line.fileno()), str(directory / "libra.yaml")]
    with machine, line, (directory / "log").open("wb") as log:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})  # as the guard does
        process = subprocess.Popen(
            [sys.executable, "-m", "libra_vrrp", "reporter", *arguments],
            env=plain | place | {"LIBRA_METRICS_PORT": str(port)} | told,
            pass_fds=[line.fileno()],
            stderr=log,
        )
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        try:
            yield World(directory, machine, process, port)
            machine.send(reports.dumps(Numbered("", 0, Farewell())))
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            process.wait()


def test_a_file_reaches_the_machine_and_what_it_does_the_log_output(open_path: Path) -> None:
    with reporting(open_path) as world:
        world.until(lambda: world.vrids() == [51] and Routers() in world.heard())
        world.machine.send(reports.dumps(Numbered("1", 0, Awake())))
        world.machine.send(reports.dumps(Numbered("1", 1, MASTER)))
        world.until(lambda: world.logged("decided"))
        (said,) = world.logged("decided")
        assert (said["type"], said["instance"], said["why"]) == ("vrrp.master", "front", "timer")
        assert (said["took_ms"], said["takeover"]["took_ms"]) == (250.0, 250.0)
        world.until(lambda: world.health() is None)
        assert world.logged("log is away") == []


def test_sighup_has_the_file_read_again_and_a_bad_one_changes_nothing(open_path: Path) -> None:
    with reporting(open_path) as world:
        world.process.send_signal(signal.SIGHUP)  # before it can hear it
        world.until(lambda: world.vrids() == [51])
        world.config.write_text(CONFIG.replace("vrid: 51", "vrid: 300"))
        world.process.send_signal(signal.SIGHUP)
        world.until(lambda: "libra.yaml:4:34: instances.front.vrid: " in str(world.health()))
        assert world.vrids() == [51]
        world.config.write_text(CONFIG.replace("vrid: 51", "vrid: 52"))
        world.machine.send(reports.dumps(Numbered("", 0, Reread())))  # as the guard does
        world.until(lambda: world.vrids() == [52] and world.health() is None)
        refused = world.logged("config not accepted, going on as before")
        assert [one["level"] for one in refused] == ["error"]


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("nats://127.0.0.1:9", id="nobody answers"),
        pytest.param("nats://no.such.host.invalid:4222", id="no such host"),
        pytest.param("what is this", id="no address"),
    ],
)
def test_a_log_that_cannot_be_had_is_a_notice(open_path: Path, address: str) -> None:
    with reporting(open_path, LIBRA_NATS=address, LIBRA_SEED_FILE="/no/such.seed") as world:
        world.until(lambda: world.logged("log is away"))
        assert world.logged("no seed for NATS")
        world.machine.send(reports.dumps(Numbered("1", 0, Awake())))
        world.machine.send(reports.dumps(Numbered("1", 1, MASTER)))
        world.until(lambda: world.logged("decided") and world.vrids() == [51])
        world.until(lambda: world.health() is None)

"""`libra up`, the whole node on the kernel: table, log and replay agree; it ends cleanly."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.kernel.disks import fill, tiny

from libra_cli.site import Site
from libra_cli.strays import start_time
from libra_cli.testing import Host, Up
from libra_runtime.nats_server import free_port

pytestmark = pytest.mark.kernel

CONFIG = """\
version: 1
nodes: {{a: {{address: 10.0.0.2}}}}
services:
  up-test:
    address: 192.0.2.77:80
    scheduler: wrr
    check: {{tcp: {{}}, every: 500ms, timeout: 400ms, rise: 1, fall: 1}}
    backends:
      w1: {{address: "127.0.0.1:{one}", weight: 3}}
      w2: "127.0.0.1:{two}"
"""
PATIENCE = 60.0


def until(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {PATIENCE:g} s: {what}")
        time.sleep(0.05)


def ipvsadm() -> list[str]:
    done = subprocess.run(["ipvsadm", "-Sn"], capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if "192.0.2.77" in line]


class Listener:
    """A backend: accepts connections until it is closed."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.socket.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            connection.close()

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@pytest.fixture
def backends() -> Iterator[list[Listener]]:
    listeners = [Listener(), Listener()]
    yield listeners
    for each in listeners:
        if each.socket.fileno() >= 0:
            each.close()


@pytest.fixture
def host(backends: list[Listener]) -> Iterator[Host]:
    with TemporaryDirectory(prefix="libra-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        nats = f"nats://127.0.0.1:{free_port()}"
        host = Host(directory, Site("a", directory / "state", directory / "run", nats))
        host.write(CONFIG.format(one=backends[0].port, two=backends[1].port))
        yield host
    subprocess.run(["ipvsadm", "-D", "-t", "192.0.2.77:80"], check=False, capture_output=True)


def start(host: Host) -> Up:
    config = str(host.directory / "libra.yaml")
    up = Up(host.start("up", "--config", config, "--metrics", "0"), [])
    up.read_until("node a is up")
    return up


def table(backends: list[Listener], *weights: int) -> list[str]:
    rows = sorted(zip((each.port for each in backends), weights, strict=False))
    return [
        "-A -t 192.0.2.77:80 -s wrr",
        *(f"-a -t 192.0.2.77:80 -r 127.0.0.1:{port} -m -w {weight}" for port, weight in rows),
    ]


def replayed(host: Host, *words: str) -> list[str]:
    return host.libra("replay", *words, "--format", "ipvsadm", "up-test").stdout.splitlines()


def wanted(host: Host) -> list[str]:
    return replayed(host, "--desired")


def test_a_node_comes_up_follows_its_backends_and_leaves_the_table(
    host: Host, backends: list[Listener]
) -> None:
    up = start(host)
    try:
        until(lambda: ipvsadm() == table(backends, 3, 1), "both backends in the table")
        assert replayed(host) == wanted(host) == ipvsadm()
        assert "weight 7" not in host.libra("status").stdout
        host.libra("weight", "backend.up-test.w2", "7")
        until(lambda: ipvsadm() == table(backends, 3, 7), "the weight an operator set")
        backends[0].close()
        until(lambda: ipvsadm() == table(backends[1:], 7), "a dead backend out of the table")
        assert replayed(host) == wanted(host) == ipvsadm()
        shown = json.loads(host.libra("status", "--json").stdout)
        assert shown["services"]["up-test"]["backends"]["w1"]["verdict"] == "down"
        assert {"console", "health", "ipvs-writer", "vrrp", "notifier"} == set(shown["processes"])
    finally:
        assert up.end() == 0
    assert ipvsadm() == table(backends[1:], 7)


def test_a_killed_writer_and_a_killed_supervisor_leave_the_table_alone(
    host: Host, backends: list[Listener]
) -> None:
    up = start(host)
    until(lambda: ipvsadm() == table(backends, 3, 1), "both backends in the table")
    processes = json.loads((host.site.run / "up.processes").read_text())
    os.kill(processes["ipvs-writer"][0], signal.SIGKILL)
    up.read_until("ipvs-writer was ended by SIGKILL")
    up.process.kill()
    up.process.communicate()
    assert ipvsadm() == table(backends, 3, 1)
    again = start(host)
    try:
        assert all(start_time(pid) == 0 for pid, _ in processes.values())
        assert replayed(host) == wanted(host) == table(backends, 3, 1)
        changes = host.libra("events", "--type", "table.changed").stdout.splitlines()
        backends[1].close()
        until(lambda: ipvsadm() == table(backends[:1], 3), "the new writer writes")
        later = host.libra("events", "--type", "table.changed").stdout.splitlines()
        assert len(later) == len(changes) + 1
    finally:
        assert again.end() == 0


def write_until_refused(host: Host) -> None:
    """Use what the log's open blocks still have: a disk's last pages (4 KiB) are theirs."""
    for weight in range(2, 12):
        if host.libra("weight", "backend.up-test.w2", str(weight)).returncode != 0:
            return
    pytest.fail("a full disk took everything")


def test_a_director_takes_verdicts_again_once_its_full_disk_has_room(
    host: Host, backends: list[Listener]
) -> None:
    host.site.state.mkdir()
    with tiny(host.site.state, "64m") as ballast:
        up = start(host)
        try:
            until(lambda: ipvsadm() == table(backends, 3, 1), "both backends in the table")
            fill(ballast)
            write_until_refused(host)
            before = ipvsadm()
            backends[0].close()
            up.read_until("no room on the disk of")
            assert ipvsadm() == before
            ballast.unlink()
            up.read_until("has room again")
            until(lambda: len(ipvsadm()) == 2, "the verdict in the table")
            until(lambda: replayed(host) == wanted(host) == ipvsadm(), "log and table agree")
            assert f":{backends[0].port} " not in ipvsadm()[1]
        finally:
            assert up.end() == 0

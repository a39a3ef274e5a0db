"""`libra failover` and `libra ready`, from the command to the kernel: two nodes of `libra up`.

Each has a nats-server, a console and a libra-vrrp of its own, in a network namespace of its own.
"""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tests.kernel.conftest import VIP, neighbour, until

from libra_cli.testing import LIBRA
from libra_lab.node import Node
from libra_lab.topology import Topology

pytestmark = pytest.mark.network

PATIENCE = 60.0
OWN = {"a": "192.0.2.1", "b": "192.0.2.2"}
CONFIG = """\
version: 1
nodes: {a: {address: 192.0.2.1}, b: {address: 192.0.2.2}}
instances:
  front:
    interface: eth0
    vrid: 51
    interval: 250ms
    preempt: true
    priority: {a: 150, b: 100}
    addresses: [192.0.2.10/24]
"""
SKEW_OF_100 = 156 / 256 * 0.25


@dataclass
class Site:
    """A node on which an operator has a shell."""

    node: Node
    directory: Path
    ups: "list[subprocess.Popen[str]]" = field(default_factory=list)

    @property
    def environ(self) -> dict[str, str]:
        """Tell `libra` where this node is."""
        return {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LIBRA_NODE": self.node.name,
            "LIBRA_STATE": str(self.directory / f"state-{self.node.name}"),
            "LIBRA_RUN": str(self.directory / f"run-{self.node.name}"),
        }

    def up(self) -> None:
        """Start what agrees on addresses: no services, and so no IPVS, are in the config."""
        words = [LIBRA, "up", "--config", str(self.directory / "libra.yaml")]
        with self.said.open("w") as said:
            self.ups.append(
                self.node.popen(
                    [*words, "--only", "console,vrrp"],
                    environment=self.environ,
                    stdout=said,
                    stderr=subprocess.STDOUT,
                )
            )

    def is_up(self) -> bool:
        """Say whether it has said so."""
        return " is up " in self.said.read_text()

    def end(self) -> list[int]:
        """Press Ctrl-C; return the exit status, if it was started."""
        for one in self.ups:
            one.send_signal(signal.SIGINT)
        return [one.wait(PATIENCE) for one in self.ups]

    @property
    def said(self) -> Path:
        """Where its `libra up` writes."""
        return self.directory / f"{self.node.name}.log"

    def libra(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        return self.node.run(LIBRA, *words, environment=self.environ, check=False)

    def shown(self) -> dict[str, Any]:
        """Return what `libra status --json` says of the instance."""
        front = json.loads(self.libra("status", "--json").stdout)["instances"]["front"]
        return front if isinstance(front, dict) else {}

    def line(self) -> str:
        """Return what `libra status` says of the instance."""
        lines = self.libra("status").stdout.splitlines()
        return next((one.strip() for one in lines if one.startswith("  front ")), "")

    def owns(self) -> bool:
        """Say whether this node's kernel holds the address."""
        return f"{VIP}/32" in self.node.run("ip", "-o", "addr", "show", "dev", "eth0").stdout

    def mac(self) -> str:
        """Return the hardware address of eth0."""
        shown = json.loads(self.node.run("ip", "-j", "link", "show", "dev", "eth0").stdout)
        return str(shown[0]["address"])


@dataclass
class Cluster:
    """Two nodes and a client."""

    a: Site
    b: Site
    client: Node

    def moved_to(self, name: str) -> None:
        """Wait until one node alone has the address, its status says so, and the client knows."""
        master, backup = (self.a, self.b) if name == "a" else (self.b, self.a)
        self.soon(lambda: master.owns() and not backup.owns(), f"{name} alone has the address")
        self.soon(lambda: master.shown()["state"] == "master", "its status says so")
        self.soon(lambda: backup.shown()["state"] == "backup", "the other one's too")
        self.client.run("ping", "-c1", "-W1", str(VIP))
        assert neighbour(self.client) == master.mac()

    @staticmethod
    def soon(holds: Callable[[], object], what: str) -> None:
        """Wait for what is no matter of time."""
        until(holds, PATIENCE, what)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Run `libra up` on both; a is master."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="libra-")))
        directory.chmod(0o755)
        (directory / "libra.yaml").write_text(CONFIG)
        topology = stack.enter_context(Topology())
        net = topology.network("net")
        nodes = {
            name: topology.node(name, {"eth0": (net, f"{own}/24")}) for name, own in OWN.items()
        }
        client = topology.node("client", {"eth0": (net, "192.0.2.100/24")})
        made = Cluster(Site(nodes["a"], directory), Site(nodes["b"], directory), client)
        for site in (made.a, made.b):
            site.up()
            stack.callback(site.end)
        for site in (made.a, made.b):
            until(site.is_up, PATIENCE, f"{site.node.name} is up")
        made.moved_to("a")
        yield made
        assert [made.a.end(), made.b.end()] == [[0], [0]]


def age(shown: dict[str, Any]) -> timedelta:
    """Return for how long an instance has been in its state."""
    return datetime.now(UTC) - datetime.fromisoformat(shown["since"])


def test_a_failover_moves_the_address_and_ready_takes_it_back_and_both_nodes_say_how(
    cluster: Cluster,
) -> None:
    a, b = cluster.a, cluster.b
    cluster.soon(lambda: "master is 192.0.2.1" in b.line(), "b says who is master")
    first = a.shown()["takeover"]
    began = datetime.now(UTC)
    done = a.libra("failover", "front", "--why", "a new disk")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("instance.front is handed over: its master gives it up")
    cluster.moved_to("b")
    took, gave = b.shown(), a.shown()
    assert (took["why"], took["priority"]) == ("priority-zero", 100)
    assert timedelta(0) < age(took) < datetime.now(UTC) - began
    assert took["takeover"]["time"] == took["since"]
    assert took["takeover"]["took_ms"] >= SKEW_OF_100 * 1000 - 1
    assert (gave["why"], gave["priority"], gave["takeover"]) == ("operator", 150, first)
    assert (gave["admin"]["failover"], gave["admin"]["why"]) == (True, "a new disk")
    assert b.line().startswith("front  master  ")
    assert "(the master handed over)" in b.line()
    assert f"{VIP}  took over in {took['takeover']['took_ms']:.1f} ms" in b.line()
    assert "(an operator asked for it)" in a.line()
    cluster.soon(lambda: "master is 192.0.2.2  last takeover " in a.line(), "a says who has it")
    assert "[handed over by root until " in a.line()
    refused = a.libra("failover", "front")
    assert refused.returncode == 1
    assert "front is backup on this node, only a master hands over" in refused.stderr
    again = datetime.now(UTC)
    done = a.libra("ready", "front")
    assert (done.returncode, done.stderr) == (0, "")
    cluster.moved_to("a")
    back, left = a.shown(), b.shown()
    assert (back["why"], back["admin"]) == ("preempt", None)
    assert age(back) < datetime.now(UTC) - again
    assert back["takeover"]["time"] == back["since"]
    assert "took over in" in a.line()
    assert (left["why"], left["master"]) == ("higher-priority", OWN["a"])
    assert "master is 192.0.2.1  last takeover " in b.line()

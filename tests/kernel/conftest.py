"""What the VRRP tests share: two directors and a client on one network of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest

from libra_lab.node import Node
from libra_lab.topology import Topology
from libra_vrrp import kept
from libra_vrrp.orders import Instance, Place
from libra_vrrp.router import Always
from libra_vrrp.rtnetlink import IpAddress

VIP = IPv4Address("192.0.2.10")
SIX = IPv6Address("2001:db8::10")
LOCAL = IPv6Address("fe80::10")
MORE = IPv6Address("2001:db8::11")
INTERVAL = 0.25
"""Seconds; three of them are longer than a busy machine keeps a process waiting."""
WITHOUT_KILL = ("setpriv", "--bounding-set=-kill", "--inh-caps=-kill")
"""Runs a program as a container does that has no CAP_KILL."""
PATIENCE = 60.0
"""Seconds for what has no bound of its own: a slow machine may take its time."""


def until(holds: Callable[[], object], seconds: float, what: str) -> float:
    """Wait until `holds` does; return how long it took, fail after `seconds`."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > seconds:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(0.002)
    return time.monotonic() - began


@dataclass
class Director:
    """A node with libra-vrrp on it, started from a kept list of routers, without NATS."""

    node: Node
    state: Path
    order: Instance
    environment: dict[str, str] = field(default_factory=dict)
    wrapper: tuple[str, ...] = ()
    others: tuple[Instance, ...] = ()
    parent: "subprocess.Popen[str] | None" = None
    log: Path | None = None

    def write(self) -> None:
        """Write the list of routers as the reporter would."""
        file = self.state / "vrrp" / "routers.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(kept.dump_instances((self.order, *self.others)))

    def start(self) -> None:
        """Start the parent, which starts the machine and the reporter; they write to `log`."""
        told = {
            "LIBRA_NODE": self.node.name,
            "LIBRA_STATE": str(self.state),
            "LIBRA_NATS": "nats://127.0.0.1:9",
            "LIBRA_METRICS_PORT": "0",
        }
        with ExitStack() as stack:
            self.parent = self.node.popen(
                [*self.wrapper, sys.executable, "-m", "libra_vrrp"],
                environment={**os.environ, **told, **self.environment},
                stderr=stack.enter_context(self.log.open("a")) if self.log else None,
            )

    def stop(self) -> None:
        """End it in order."""
        assert self.parent is not None
        self.parent.terminate()
        self.parent.wait(PATIENCE)

    def reload(self) -> None:
        """Write the list of routers and have the machine read it, as the reporter would."""
        self.write()
        self.signal(signal.SIGHUP, "machine")

    def pid(self, word: str) -> int | None:
        """Return the process id of the machine or the reporter."""
        for process in self.node.processes():
            try:
                line = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if line[2:4] == [b"libra_vrrp", word.encode()]:
                return process
        return None

    def signal(self, number: signal.Signals, *words: str) -> None:
        """Send a signal to children by their word, or to the parent."""
        for word in words:
            pid = self.parent.pid if word == "parent" and self.parent else self.pid(word)
            assert pid is not None
            os.kill(pid, number)

    def owns(self, address: IpAddress = VIP, interface: str = "eth0") -> bool:
        """Say whether the kernel holds the address on the interface."""
        shown = self.node.run("ip", "-j", "addr", "show", "dev", interface, check=False).stdout
        held = [info["local"] for link in json.loads(shown or "[]") for info in link["addr_info"]]
        return str(address) in held

    def listens(self) -> bool:
        """Say whether the machine has joined the group of VRRP."""
        return "224.0.0.18" in self.node.run("ip", "maddr", "show", "dev", "eth0").stdout

    def is_up(self) -> bool:
        """Say whether the kernel has noticed that eth0 is up: that may take it a second."""
        shown = json.loads(self.node.run("ip", "-j", "link", "show", "dev", "eth0").stdout)
        return "LOWER_UP" in shown[0]["flags"] and shown[0]["operstate"] == "UP"

    def mac(self) -> str:
        """Return the hardware address of eth0."""
        shown = json.loads(self.node.run("ip", "-j", "link", "show", "dev", "eth0").stdout)
        return str(shown[0]["address"])


def neighbour(client: Node, address: IpAddress = VIP) -> str | None:
    """Return the hardware address that a client's neighbour cache has for the address."""
    told = client.run("ip", "-j", "neigh", "show", str(address), "dev", "eth0").stdout
    shown = json.loads(told or "[]")
    return str(shown[0].get("lladdr")) if shown else None


@dataclass
class Pair:
    """Directors a (priority 150) and b (100) and a client, on 192.0.2.0/24."""

    a: Director
    b: Director
    client: Node

    def start(self) -> None:
        """Start both and wait until a is master and b is not."""
        self.b.start()
        self.a.start()
        self.soon(lambda: self.a.owns() and not self.b.owns(), "a alone owns the address")

    def owners(self, address: IpAddress = VIP) -> list[str]:
        """Return the names of those who own the address."""
        return [one.node.name for one in (self.a, self.b) if one.owns(address)]

    def is_owned_by(self, name: str, address: IpAddress = VIP) -> bool:
        """Say whether one director, and no other, owns the address."""
        return self.owners(address) == [name]

    @staticmethod
    def until(holds: Callable[[], object], seconds: float, what: str) -> float:
        """Wait until `holds` does; return how long it took, fail after `seconds`."""
        return until(holds, seconds, what)

    @staticmethod
    def soon(holds: Callable[[], object], what: str) -> float:
        """Wait until `holds` does, for what is no matter of time; fail after `PATIENCE`."""
        return until(holds, PATIENCE, what)

    def neighbour(self, address: IpAddress = VIP) -> str | None:
        """Return the hardware address that the client's neighbour cache has for the address."""
        return neighbour(self.client, address)

    def pings(self, address: IpAddress = VIP) -> bool:
        """Say whether the client reaches the address."""
        ping = self.client.run("ping", "-c1", "-W1", str(address), check=False)
        return ping.returncode == 0


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Make the network and the machines; nothing is started."""
    front = Instance(
        "front", "eth0", 51, 150, (Place("eth0", VIP),), interval=INTERVAL, preempt=Always()
    )
    with Topology() as topology:
        net = topology.network("net")
        a = topology.node("a", {"eth0": (net, "192.0.2.1/24")})
        b = topology.node("b", {"eth0": (net, "192.0.2.2/24")})
        client = topology.node("client", {"eth0": (net, "192.0.2.100/24")})
        made = Pair(
            Director(a, tmp_path / "a", front),
            Director(b, tmp_path / "b", replace(front, priority=100)),
            client,
        )
        made.a.write()
        made.b.write()
        yield made
        for director in (made.a, made.b):
            if director.parent is not None:
                director.node.signal(signal.SIGCONT)
                director.stop()


def number(pair: Pair) -> None:
    """Give each machine an IPv6 address of its own beside the link-local one."""
    for host, node in enumerate((pair.a.node, pair.b.node, pair.client), 1):
        node.ip(f"addr add 2001:db8::{host}/64 dev eth0")


@pytest.fixture
def six(pair: Pair) -> Pair:
    """Make the pair one of IPv6: an address, one on the link, and one that is excluded."""
    number(pair)
    for director in (pair.a, pair.b):
        places = Place("eth0", SIX), Place("eth0", LOCAL)
        excluded = (Place("eth0", MORE),)
        director.order = replace(director.order, places=places, excluded=excluded)
        director.write()
    return pair

"""Two directors, both of LibrA or both of keepalived, a client of theirs, and who sees it all."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.kernel.conftest import neighbour
from tests.kernel.witness import Witness, witness

from bench.client import Client, client
from bench.keepalived import wait_for
from bench.speakers import PRIORITY, Keepalived, Libra, Router, Speaker
from libra_lab.node import Node
from libra_lab.topology import Topology
from libra_vrrp.tether.ends import Ends

VIP = IPv4Address("192.0.2.10")
HOSTS = {"a": IPv4Address("192.0.2.1"), "b": IPv4Address("192.0.2.2")}
PORT = 9645
"""TCP port of tethers, as it is by default."""
ONE = (Router(51, VIP),)
GROUP = "224.0.0.18"
POLL = 0.002
SKEW = (256 - PRIORITY) / 256
"""Intervals that a backup waits beyond three (RFC 9568 section 6.1)."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Directors a and b of one priority, either of them master."""

    interval: float
    directors: dict[str, Speaker]
    station: Node
    seen: Witness
    client: Client

    def settle(self) -> str:
        """Wait until one alone has the address, the client knows it and the other is ready.

        Return its name, at any moment between two advertisements.
        """
        wait_for(lambda: len(self.seen.owners()) == 1 and self._all_listen(), 0.05, "one owner")
        since = time.monotonic()
        wait_for(lambda: self._is_quiet(since), POLL, "one master speaks and nobody else does")
        (owner,) = self.seen.owners()
        mac = _mac(self.directors[owner].node)
        wait_for(lambda: self._knows(mac), 0.02, f"the client knows {owner}")
        time.sleep(random.random() * self.interval)  # noqa: S311  no secret
        return owner

    def heir(self, owner: str) -> str:
        """Return the other's name."""
        return next(name for name in self.directors if name != owner)

    def mend(self, name: str) -> None:
        """Put a director in order again, whatever was done to it: nothing of it is left."""
        director = self.directors[name]
        director.node.kill()
        director.stop()
        if name in self.seen.owners():
            director.node.run("ip", "addr", "del", f"{VIP}/32", "dev", "eth0", check=False)
        director.start()

    def _all_listen(self) -> bool:
        shown = (each.node.run("ip", "maddr", "show", "dev", "eth0") for each in self._speakers())
        return all(GROUP in each.stdout for each in shown)

    def _is_quiet(self, since: float) -> bool:
        """Tell whether one router, and no other, has spoken three times running."""
        recent = [said for said in self.seen.adverts if said.at >= since]
        spoke = {said.source for said in recent[-3:]}
        return len(recent) > 2 and len(spoke) == 1 and len(self.seen.owners()) == 1  # noqa: PLR2004

    def _knows(self, mac: str) -> bool:
        self.station.run("ping", "-c1", "-W1", str(VIP), check=False)
        return neighbour(self.station) == mac

    def _speakers(self) -> list[Speaker]:
        return list(self.directors.values())


@contextmanager
def pairs(interval: float) -> Iterator[dict[str, Pair]]:
    """Make a pair of LibrA and one of keepalived, each on a network of its own, and start both."""
    with TemporaryDirectory(prefix="libra-bench-") as folder, ExitStack() as stack:
        yield {
            "libra": stack.enter_context(_pair(interval, partial(_libra, interval, Path(folder)))),
            "keepalived": stack.enter_context(
                _pair(interval, lambda node: Keepalived(node, ONE, interval))
            ),
        }


def _libra(interval: float, folder: Path, node: Node) -> Libra:
    return Libra.of(node, ONE, interval, folder, _tie(node))


def _tie(node: Node) -> Ends:
    """Tie a director to the other one, as a config does."""
    others = tuple((name, address) for name, address in HOSTS.items() if name != node.name)
    return Ends(HOSTS[node.name], PORT, others)


@contextmanager
def _pair(interval: float, make: Callable[[Node], Speaker]) -> Iterator[Pair]:
    with Topology() as topology, ExitStack() as stack:
        net = topology.network("net")
        station = topology.node("client", {"eth0": (net, "192.0.2.100/24")})
        directors = {
            name: make(topology.node(name, {"eth0": (net, f"{address}/24")}))
            for name, address in HOSTS.items()
        }
        nodes = [director.node for director in directors.values()]
        seen = stack.enter_context(witness(VIP, nodes, station))
        asking = stack.enter_context(client(station, str(VIP)))
        for director in directors.values():
            director.start()
        try:
            yield Pair(interval, directors, station, seen, asking)
        finally:
            for director in directors.values():
                director.node.signal(signal.SIGCONT)
                director.stop()


def _mac(node: Node) -> str:
    return node.run("cat", "/sys/class/net/eth0/address").stdout.strip()

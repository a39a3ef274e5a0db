"""Addresses that move together, and directors that share them, with traffic through them.

The instances are those of examples/nat-pair.yaml and examples/active-active.yaml, but for the
interval: 250 ms instead of 100 ms. The services of these files are not started; the kernel's table
is filled by ipvsadm. The files as they are written: test_vrrp_examples.py.
"""

import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from tests.kernel.conftest import PATIENCE, Director, until

from libra_lab.client import fetch
from libra_lab.node import Node
from libra_lab.serving import ready, start
from libra_lab.topology import Topology
from libra_lab.wiring import director, dr_server, nat_server
from libra_runtime.yaml_config import read_config
from libra_vrrp.orders import Instance
from libra_vrrp.router import Never
from libra_vrrp.wanted import instances

pytestmark = pytest.mark.kernel

EXAMPLES = Path(__file__).parents[2] / "examples"
INTERVAL = 0.25
"""Seconds; three of them are longer than a busy machine keeps a process waiting."""
STEADY = 12
"""Adverts of one master in a row after which nobody else wants to be one."""
OUTSIDE, INSIDE = IPv4Address("192.0.2.10"), IPv4Address("10.0.1.1")
FIRST, SECOND = IPv4Address("192.0.2.10"), IPv4Address("192.0.2.11")
WEB = "10.0.1.11"


def orders_of(example: str, node: str) -> tuple[Instance, ...]:
    """Return what an example gives to a node, at a pace that a busy machine keeps."""
    config, _ = read_config(EXAMPLES / example)
    return tuple(replace(one, interval=INTERVAL) for one in instances(config, node))


def directing(node: Node, state: Path, orders: tuple[Instance, ...]) -> Director:
    """Return a director that has its list of routers and is not started."""
    first, *others = orders
    made = Director(node, state, first, others=tuple(others))
    made.write()
    return made


def soon(holds: Callable[[], object], what: str) -> None:
    until(holds, PATIENCE, what)


def fetched(client: Node, address: IPv4Address) -> str | None:
    """Return what a client gets from a virtual service, None if nothing."""
    try:
        return fetch(client, f"http://{address}:80/").text
    except OSError:
        return None


@dataclass
class Nat:
    """Two directors between a client and a server that knows nothing of them."""

    directors: dict[str, Director]
    client: Node

    def start(self) -> None:
        """Start a, and b once a has both addresses."""
        self.directors["a"].start()
        soon(lambda: self.are_on("a"), "a has both")
        self.directors["b"].start()
        soon(self.passes, "traffic passes through a")

    def holds(self, name: str) -> list[IPv4Address]:
        """Return which of the two addresses a director holds."""
        one = self.directors[name]
        places = ((OUTSIDE, "eth0"), (INSIDE, "eth1"))
        return [address for address, interface in places if one.owns(address, interface)]

    def are_on(self, name: str) -> bool:
        """Say whether one director holds both and the other neither."""
        return all(
            self.holds(each) == ([OUTSIDE, INSIDE] if each == name else [])
            for each in self.directors
        )

    def passes(self) -> bool:
        """Say whether the client and the server reach each other through both addresses."""
        ping = self.client.run("ping", "-c1", "-W1", WEB, check=False)
        return ping.returncode == 0 and self.balances()

    def balances(self) -> bool:
        """Say whether the kernel's NAT brings a client of the virtual service to the server."""
        return fetched(self.client, OUTSIDE) == "w1"

    def steady(self, priority: int) -> None:
        """Wait until many adverts of one priority went by in a row."""
        with self.client.capture("eth0", "ip proto 112") as seen:
            soon(
                lambda: (
                    len(seen.lines) >= STEADY
                    and all(f"prio {priority}" in line for line in seen.lines[-STEADY:])
                ),
                f"only adverts of priority {priority}",
            )


@pytest.fixture
def nat(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Nat]:
    """Build it; `request.param` says whether a preempts."""
    with Topology() as topology:
        topology.network("world")
        topology.network("farm")
        directors = {}
        for host, name in enumerate("ab", 2):
            links = {"eth0": ("world", f"192.0.2.{host}/24"), "eth1": ("farm", f"10.0.1.{host}/24")}
            node = director(topology, name, links)
            orders = orders_of("nat-pair.yaml", name)
            if not getattr(request, "param", True):
                orders = tuple(replace(one, preempt=Never()) for one in orders)
            directors[name] = directing(node, tmp_path / name, orders)
            node.ipvsadm("-A", "-t", f"{OUTSIDE}:80", "-s", "rr")
            node.ipvsadm("-a", "-t", f"{OUTSIDE}:80", "-r", f"{WEB}:80", "-m")
        server = nat_server(topology, "w1", "farm", f"{WEB}/24", str(INSIDE))
        ready(start(server, "http", "w1", 80))
        client = topology.node("client", {"eth0": ("world", "192.0.2.100/24")})
        client.ip(f"route add 10.0.1.0/24 via {OUTSIDE}")
        made = Nat(directors, client)
        yield made
        for one in directors.values():
            if one.parent is not None:
                one.stop()
        assert [made.holds(name) for name in directors] == [[], []]


@pytest.mark.parametrize(
    ("nat", "preempts"),
    [pytest.param(True, True, id="preempt"), pytest.param(False, False, id="stay")],
    indirect=["nat"],
)
@pytest.mark.parametrize("way", ["cable", "down"])
def test_both_addresses_of_a_nat_pair_move_when_the_inside_interface_of_one_goes(
    nat: Nat, way: str, *, preempts: bool
) -> None:
    nat.start()
    broken = nat.directors["a"].node
    if way == "cable":
        broken.links["eth1"].cut()
    else:
        broken.ip("link set dev eth1 down")
    soon(lambda: nat.are_on("b"), "b has both")
    soon(nat.passes, "traffic passes through b")
    broken.links["eth1"].heal()
    broken.ip("link set dev eth1 up")
    if preempts:
        soon(lambda: nat.are_on("a"), "both are back on a")
    else:
        nat.steady(100)
        assert nat.are_on("b")
    soon(nat.passes, "traffic passes at last")


def test_both_addresses_move_when_the_master_is_killed_and_return(nat: Nat) -> None:
    nat.start()
    nat.directors["a"].node.kill()
    soon(lambda: nat.are_on("b"), "b has both")
    soon(nat.passes, "traffic passes through b")
    nat.directors["a"].start()
    soon(lambda: nat.are_on("a"), "both are back on a")
    soon(nat.passes, "traffic passes through a")


def test_a_machine_that_is_killed_and_restarted_adopts_both(nat: Nat) -> None:
    nat.start()
    killed = nat.directors["a"].pid("machine")
    nat.directors["a"].signal(signal.SIGKILL, "machine")
    soon(lambda: nat.directors["a"].pid("machine") not in {None, killed}, "there is a new machine")
    soon(lambda: nat.are_on("a"), "a has both")
    nat.steady(150)
    assert nat.are_on("a")


@dataclass
class Trio:
    """Three directors that share two addresses, real servers behind both, and a client."""

    directors: dict[str, Director]
    client: Node

    def owners(self, address: IPv4Address) -> list[str]:
        return [name for name, one in self.directors.items() if one.owns(address)]

    def are(self, first: str, second: str) -> bool:
        """Say whether each address has just this owner."""
        return self.owners(FIRST) == [first] and self.owners(SECOND) == [second]

    def answer(self) -> bool:
        """Say whether the client reaches both real servers through each address."""
        return all(
            {fetched(self.client, address) for _ in range(2)} == {"w1", "w2"}
            for address in (FIRST, SECOND)
        )


@pytest.fixture
def trio(tmp_path: Path) -> Iterator[Trio]:
    with Topology() as topology:
        net = topology.network("net")
        directors: dict[str, Director] = {}
        virtual, servers = (str(FIRST), str(SECOND)), ("192.0.2.21", "192.0.2.22")
        for host, name in enumerate("abc", 2):
            node = director(topology, name, {"eth0": ("net", f"192.0.2.{host}/24")})
            orders = orders_of("active-active.yaml", name)
            directors[name] = directing(node, tmp_path / name, orders)
            for address in virtual:
                node.ipvsadm("-A", "-t", f"{address}:80", "-s", "rr")
                for server in servers:
                    node.ipvsadm("-a", "-t", f"{address}:80", "-r", f"{server}:80", "-g")
        for name, server in zip(("w1", "w2"), servers, strict=True):
            node = dr_server(topology, name, "net", f"{server}/24", virtual)
            ready(start(node, "http", name, 80))
        client = topology.node("client", {"eth0": (net, "192.0.2.100/24")})
        made = Trio(directors, client)
        yield made
        for one in directors.values():
            if one.parent is not None:
                one.stop()
        assert (made.owners(FIRST), made.owners(SECOND)) == ([], [])


def test_three_directors_share_two_addresses_and_each_is_killed_in_turn(trio: Trio) -> None:
    for one in trio.directors.values():
        one.start()
    soon(lambda: trio.are("a", "b"), "a has the first and b the second")
    soon(trio.answer, "both answer")
    for name, *owners in (("a", "c", "b"), ("b", "a", "c"), ("c", "a", "b")):
        trio.directors[name].node.kill()
        soon(partial(trio.are, *owners), f"{name} is replaced")
        soon(trio.answer, f"both answer without {name}")
        trio.directors[name].start()
        soon(trio.directors[name].listens, f"{name} listens again")
        soon(lambda: trio.are("a", "b"), "a has the first and b the second again")
        soon(trio.answer, "both answer again")


KEEPALIVED = """
vrrp_sync_group nat {{
  group {{
    outside
    inside
  }}
}}
vrrp_instance outside {{
  state BACKUP
  interface eth0
  virtual_router_id 51
  version 3
  priority {priority}
  advert_int {interval}
  virtual_ipaddress {{
    192.0.2.10/32 dev eth0
  }}
}}
vrrp_instance inside {{
  state BACKUP
  interface eth1
  virtual_router_id 52
  version 3
  priority {priority}
  advert_int {interval}
  virtual_ipaddress {{
    10.0.1.1/32 dev eth1
  }}
}}
"""


@contextmanager
def keepalived(nat: Nat, name: str, priority: int, directory: Path) -> Iterator[None]:
    """Run keepalived with a sync group on a director's node instead of LibrA."""
    file = directory / "keepalived.conf"
    file.write_text(KEEPALIVED.format(priority=priority, interval=INTERVAL))
    argv = ["keepalived", "-n", "-l", "-P", "-f", str(file)]
    argv += ["-p", str(directory / "keepalived.pid"), "-r", str(directory / "vrrp.pid")]
    process = nat.directors[name].node.popen(argv)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.skipif(shutil.which("keepalived") is None, reason="keepalived is not installed")
@pytest.mark.parametrize("ours", [150, 50], ids=["we are master", "keepalived is master"])
def test_a_group_goes_back_and_forth_with_that_of_keepalived(
    nat: Nat, tmp_path: Path, ours: int
) -> None:
    a = nat.directors["a"]
    a.order, *others = (replace(one, priority=ours) for one in (a.order, *a.others))
    a.others = tuple(others)
    a.write()
    first, second = ("a", "b") if ours > 100 else ("b", "a")
    with keepalived(nat, "b", 100, tmp_path):
        soon(lambda: nat.are_on("b"), "keepalived has both while it is alone")
        a.start()
        soon(a.listens, "a takes part")
        soon(lambda: nat.are_on(first), f"{first} has both")
        nat.steady(max(ours, 100))
        broken = nat.directors[first].node
        broken.links["eth1"].cut()
        soon(lambda: nat.are_on(second), f"{second} has both")
        soon(nat.passes, f"traffic passes through {second}")
        broken.links["eth1"].heal()
        soon(lambda: nat.are_on(first), f"both are back on {first}")
        nat.steady(max(ours, 100))
        assert nat.are_on(first)
        soon(nat.passes, f"traffic passes through {first}")

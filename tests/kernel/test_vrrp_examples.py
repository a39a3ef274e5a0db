"""Every file of examples/ that has addresses, as it is written: what libra-vrrp makes of it.

`libra-vrrp --config FILE --node NODE` runs on each of its nodes. What is not VRRP's in a file needs
IPVS and services that answer: `libra check` takes it (tests/test_examples.py).
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.kernel.conftest import PATIENCE, until
from tests.kernel.test_vrrp_alone import Lone

from libra_lab.node import Node
from libra_lab.topology import Topology
from libra_runtime.yaml_config import read_config
from libra_vrrp.orders import Instance
from libra_vrrp.wanted import instances

pytestmark = pytest.mark.network

EXAMPLES = Path(__file__).parents[2] / "examples"
OFFICE = {"eth2": "10.0.0.{}/24"}
"""Where the nodes' own addresses are, and their tethers."""
WORLD, FARM = {"eth0": "192.0.2.{}/24"}, {"eth1": "10.0.1.{}/24"}
NETWORKS = {
    "active-active.yaml": WORLD | OFFICE,
    "libra.yaml": WORLD | FARM | OFFICE,
    "nat-pair.yaml": WORLD | FARM | OFFICE,
    "steady.yaml": WORLD | FARM | OFFICE,
    "uplink.yaml": {"eth0": ""} | FARM | OFFICE,
    "vrrp-only.yaml": WORLD | {"eth1": "10.0.0.{}/24"},
}
"""By file, the interfaces of a node and their addresses, by the number of the node."""
OVERLAY = 'mount -t overlay overlay -o "lowerdir=$0:/usr/local/bin" /usr/local/bin && exec "$@"'
"""Put the programs that an example tracks where it says that they are."""
TRACKED = """\
#!/bin/sh
test ! -e {silent}-$LIBRA_NODE
"""


def soon(holds: partial[bool], what: str) -> None:
    until(holds, PATIENCE, what)


@dataclass
class Example:
    """The directors of a file, and what it gives to each; a client is on every network."""

    directors: dict[str, Lone]
    orders: dict[str, tuple[Instance, ...]]
    client: Node
    place: Path

    def owners(self, alive: list[str]) -> dict[str, str]:
        """Return who of those that live has the highest priority, by virtual router."""
        found: dict[str, tuple[int, str]] = {}
        for name in alive:
            for one in self.orders[name]:
                found[one.name] = max(found.get(one.name, (0, "")), (one.priority, name))
        return {router: name for router, (_, name) in found.items()}

    def is_shared_among(self, alive: list[str]) -> bool:
        """Say whether every address is on its owner, on its interface, and on nobody else."""
        owners = self.owners(alive)
        return all(
            director.owns(place.address, place.interface) is (owners[one.name] == name)
            for name, director in self.directors.items()
            for one in self.orders[name]
            for place in one.held
        )

    def listens(self, name: str) -> bool:
        """Say whether a director takes part in all that the file gives to it."""
        shown = self.directors[name].node.run("ip", "maddr", "show").stdout
        return shown.count("224.0.0.18") == len({one.interface for one in self.orders[name]})


@contextmanager
def at_work(file: str) -> Iterator[Example]:
    """Run a file on all of its nodes; the first one is there before the others."""
    config, _ = read_config(EXAMPLES / file)
    with ExitStack() as stack:
        place = Path(stack.enter_context(TemporaryDirectory(prefix="libra-")))
        place.chmod(0o755)
        (place / file).write_bytes((EXAMPLES / file).read_bytes())
        (place / "bin").mkdir(mode=0o755)
        program = place / "bin" / "upstream-answers"
        program.write_text(TRACKED.format(silent=place / "silent"))
        program.chmod(0o755)
        topology = stack.enter_context(Topology())
        for name in NETWORKS[file]:
            topology.network(f"at-{name}")
        directors, orders = {}, {name: instances(config, name) for name in config.nodes}
        for number, name in enumerate(config.nodes, 2):
            node = topology.node(name, links(file, number))
            node.sysctl({"net.ipv6.conf.all.forwarding": 1, "net.ipv4.ip_forward": 1})
            wrapper = ("unshare", "--mount", "sh", "-c", OVERLAY, str(place / "bin"))
            directors[name] = Lone(
                node, place / f"state-{name}", orders[name][0], wrapper=wrapper, config=place / file
            )
        client = topology.node("client", links(file, 100))
        made = Example(directors, orders, client, place)
        for name, director in directors.items():
            director.start()
            stack.callback(over, director)
            soon(partial(made.listens, name), f"{name} takes part")
        soon(partial(made.is_shared_among, list(config.nodes)), "every address has its owner")
        yield made


def links(file: str, number: int) -> dict[str, tuple[str, str | tuple[str, ...]]]:
    """Return the interfaces of a node, by the number that its addresses end with."""
    return {
        name: (f"at-{name}", written.format(number) or ())
        for name, written in NETWORKS[file].items()
    }


def is_well(director: Lone) -> bool:
    """Say whether a director has nothing to complain of."""
    return director.health() is None


def over(director: Lone) -> None:
    """End a director that still runs."""
    if director.parent is not None:
        director.stop()
        director.parent = None
    if director.said is not None:
        director.said.close()


def test_each_of_them_is_run_here() -> None:
    written = {path.name for path in EXAMPLES.glob("*.yaml")}
    assert {name for name in written if read_config(EXAMPLES / name)[0].instances} == set(NETWORKS)


@pytest.mark.parametrize("file", sorted(NETWORKS))
def test_an_example_gives_every_address_an_owner_whoever_ends(file: str) -> None:
    with at_work(file) as example:
        alive = list(example.directors)
        while len(alive) > 1:
            over(example.directors[alive.pop(0)])
            soon(partial(example.is_shared_among, alive), f"{alive} have all addresses")
        soon(partial(is_well, example.directors[alive[0]]), "the last one complains of nothing")
        over(example.directors[alive[0]])
        assert not any(
            one.owns(place.address, place.interface)
            for name, one in example.directors.items()
            for order in example.orders[name]
            for place in order.held
        )


def test_a_router_pair_of_the_example_moves_as_one_and_its_program_is_heard_on_the_wire() -> None:
    """Three virtual routers: both families outside, and inside."""
    with at_work("vrrp-only.yaml") as example:
        a, b = example.directors.values()
        assert example.owners(["a", "b"]) == dict.fromkeys(
            ("outside", "outside-ipv6", "inside"), "a"
        )
        with example.client.capture("eth1", "ip proto 112") as inside:
            inside.wait_for("vrid 52, prio 150")
            (example.place / "silent-a").touch()
            inside.wait_for("vrid 52, prio 90")
        (said, *_) = a.lines("decided")[-3:]
        assert (said["type"], said["priority"], said["configured"]) == ("vrrp.priority", 90, 150)
        assert said["moved"][0]["object"] == "program.upstream"
        a.node.links["eth1"].cut()
        soon(partial(example.is_shared_among, ["b"]), "b has all three")
        for address in ("192.0.2.1", "10.0.0.1"):
            example.client.run("ping", "-c1", "-W5", address)
        soon(partial(is_well, b), "b complains of nothing")

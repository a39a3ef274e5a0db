"""A probe leaves from the address, by the interface and with the mark that the config names."""

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from tests.health.shell.test_holds import Keeper
from tests.kernel.test_health_probes import run_once

from libra_health.checks import IcmpSpec, Spec, TcpSpec, UdpSpec
from libra_health.hold.wanted import wanted_of
from libra_health.outcome import Errored, Outcome, Passed, Reason
from libra_health.probes import Probe
from libra_health.watches import watches_of
from libra_health.wire import Origin, Target
from libra_lab.node import Node
from libra_lab.topology import Topology
from libra_schemas.config import Config

pytestmark = pytest.mark.kernel

PORT = 80
OTHER, OTHER6 = "10.7.0.7", "fd00:7::7"
PLAIN_ROUTE, MARKED_ROUTE = "10.7.0.254", "10.9.0.254"
MARK = 0x4C000001


@dataclass
class Net:
    """A director with two links, of which the second leads on only what is marked."""

    director: Node
    backend: Node

    def seen(self, address: str, origin: Origin) -> str:
        """Probe TCP on the backend and return the address that it saw the probe come from."""
        with closing(self.backend.call(_listener, address)) as listener:
            found = self.probe(address, origin, TcpSpec())
            assert isinstance(found, Passed), found
            connection, peer = listener.accept()
            connection.close()
        return str(peer[0])

    def holds_seen(self, address: str, asked: dict[str, Any]) -> set[str]:
        """Hold the backend as a config says; return whence it saw probe and hold come."""
        config = {
            "version": 1,
            "nodes": {"d": {"address": "10.7.0.1"}},
            "services": {
                "web": {
                    "address": f"192.0.2.10:{PORT}" if "." in address else f"[2001:db8::1]:{PORT}",
                    "hold": True,
                    "check": {"tcp": {}} | asked,
                    "backends": {"w1": {"address": address}},
                }
            },
        }
        watches = watches_of(Config.model_validate(config), "d")
        (wanted,) = wanted_of(Config.model_validate(config), "d", watches)
        with closing(self.backend.call(_listener, address)) as listener:
            keeper = self.director.call(Keeper)
            try:
                keeper.driver.call(lambda: keeper.board.apply(keeper.driver, watches, "1"))
                keeper.driver.call(lambda: keeper.holds.apply([wanted]))
                keeper.until_held()
                held = keeper.holds.lines[wanted.hold.target].channel
                assert held is not None
                assert held.sock is not None
                ours = held.sock.getsockname()[:2]
                seen: set[tuple[str, int]] = set()
                while ours not in seen or len(seen) < 2:
                    connection, peer = listener.accept()
                    connection.close()
                    seen.add(peer[:2])
            finally:
                keeper.driver.call(keeper.holds.stop)
                keeper.driver.stop()
        return {host for host, _ in seen}

    def probe(self, address: str, origin: Origin, spec: Spec) -> Outcome:
        port = 0 if isinstance(spec, IcmpSpec) else PORT
        probe = Probe(Target(address, port, origin), spec, 3600.0, 3.0)
        return self.director.call(run_once, probe)


def _listener(address: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.create_server((address, PORT), family=family)
    made.settimeout(10)
    return made


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    with Topology() as topology:
        one, two = topology.network("one"), topology.network("two")
        director = topology.node(
            "d",
            {
                "eth0": (one, ("10.7.0.1/24", "fd00:7::1/64")),
                "eth1": (two, ("10.9.0.1/24",)),
            },
        )
        backend = topology.node(
            "b",
            {
                "eth0": (one, (f"{PLAIN_ROUTE}/24", "fd00:7::fe/64")),
                "eth1": (two, (f"{MARKED_ROUTE}/24",)),
            },
        )
        director.ip(f"addr add {OTHER}/24 dev eth0", f"addr add {OTHER6}/64 dev eth0 nodad")
        backend.ip("addr add 10.8.0.1/32 dev lo")
        director.ip(
            f"rule add fwmark {MARK} lookup 77", f"route add 10.8.0.1 via {MARKED_ROUTE} table 77"
        )
        yield Net(director, backend)


@pytest.mark.parametrize(
    ("address", "bound"),
    [
        (PLAIN_ROUTE, "10.7.0.1"),
        (PLAIN_ROUTE, OTHER),
        ("fd00:7::fe", "fd00:7::1"),
        ("fd00:7::fe", OTHER6),
    ],
)
def test_a_probe_leaves_from_the_address_that_is_named(net: Net, address: str, bound: str) -> None:
    assert net.seen(address, Origin(address=bound)) == bound


@pytest.mark.parametrize("spec", [TcpSpec(), UdpSpec(), IcmpSpec()], ids=["tcp", "udp", "icmp"])
def test_an_address_that_is_not_the_nodes_is_our_own_trouble(net: Net, spec: Spec) -> None:
    found = net.probe(PLAIN_ROUTE, Origin(address="10.7.0.99"), spec)
    assert isinstance(found, Errored)
    assert found.reason is Reason.PORTS


def test_a_mark_takes_the_way_of_its_rule(net: Net) -> None:
    unmarked = net.probe("10.8.0.1", Origin(), TcpSpec())
    assert isinstance(unmarked, Errored)
    assert unmarked.reason is Reason.NO_ROUTE
    assert net.seen("10.8.0.1", Origin(fwmark=MARK)) == "10.9.0.1"


@pytest.mark.parametrize(
    ("address", "asked", "came_from"),
    [
        pytest.param(PLAIN_ROUTE, {"bind": {"d": OTHER}}, OTHER, id="bind"),
        pytest.param("fd00:7::fe", {"bind": {"d": OTHER6}}, OTHER6, id="bind, IPv6"),
        pytest.param(PLAIN_ROUTE, {"interface": {"d": "eth1"}}, "10.9.0.1", id="interface"),
        pytest.param("10.8.0.1", {"fwmark": MARK}, "10.9.0.1", id="fwmark"),
    ],
)
def test_a_hold_leaves_from_where_the_check_does(
    net: Net, address: str, asked: dict[str, Any], came_from: str
) -> None:
    assert net.holds_seen(address, asked) == {came_from}


def test_a_probe_leaves_by_the_interface_that_is_named(net: Net) -> None:
    assert net.seen(PLAIN_ROUTE, Origin(interface="eth0")) == "10.7.0.1"
    assert net.seen(PLAIN_ROUTE, Origin(interface="eth1")) == "10.9.0.1"
    assert isinstance(net.probe(PLAIN_ROUTE, Origin(interface="eth0"), IcmpSpec()), Passed)
    absent = net.probe(PLAIN_ROUTE, Origin(interface="eth9"), TcpSpec())
    assert isinstance(absent, Errored)
    assert absent.reason is Reason.NO_ROUTE

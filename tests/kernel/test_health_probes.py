"""Probes meet what networks really do: no route, a dead host, an unreachable from a router."""

import queue
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from libra_health.checks import IcmpSpec, Spec, TcpSpec, UdpSpec
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.probes import Changes, Probe
from libra_health.shell.drive import Driver
from libra_health.wire import Target
from libra_lab.node import Node
from libra_lab.topology import Topology

pytestmark = pytest.mark.kernel

UNLIMITED = {"net.ipv4.icmp_ratelimit": 0, "net.ipv6.icmp.ratelimit": 0}
"""Every probe of a test hears its ICMP error, not one a second (icmp(7))."""


@dataclass
class Net:
    """A director and a router on one network, and what lies behind the router."""

    director: Node
    router: Node

    def probe(self, address: str, spec: Spec, timeout: float = 5.0) -> Outcome:
        """Run one check on the director and return what it found."""
        return self.director.call(run_once, Probe(Target(address, 80), spec, 3600.0, timeout))


def run_once(probe: Probe) -> Outcome:
    """Drive a probe in this thread's network namespace; its driver's thread inherits it."""
    found: queue.Queue[Outcome] = queue.Queue()
    driver = Driver(lambda _probe, outcome, _now: found.put(outcome), lambda _error: None)
    driver.start()
    driver.call(lambda: driver.apply(Changes((), (probe,), ()), spread=False))
    try:
        return found.get(timeout=20)
    finally:
        driver.stop()


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    with Topology() as topology:
        wire = topology.network("wire")
        director = topology.node("d", {"eth0": (wire, ("10.7.0.1/24", "fd00:7::1/64"))})
        router = topology.node("r", {"eth0": (wire, ("10.7.0.254/24", "fd00:7::fe/64"))})
        director.ip("route add 10.8.0.0/16 via 10.7.0.254", "route add fd00:8::/32 via fd00:7::fe")
        forwarding = {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1}
        router.sysctl(forwarding | UNLIMITED)
        router.ip("route add unreachable 10.8.1.0/24", "route add prohibit 10.8.2.0/24")
        router.ip("route add unreachable fd00:8:1::/64", "route add prohibit fd00:8:2::/64")
        yield Net(director, router)


def reason(outcome: Outcome) -> tuple[type[Outcome], Reason | None]:
    return type(outcome), None if isinstance(outcome, Passed) else outcome.reason


@pytest.mark.parametrize("spec", [TcpSpec(), IcmpSpec(), UdpSpec()])
def test_no_route_of_our_own_is_not_the_backends_fault(net: Net, spec: Spec) -> None:
    assert reason(net.probe("10.99.0.1", spec)) == (Errored, Reason.NO_ROUTE)


@pytest.mark.parametrize("spec", [TcpSpec(), IcmpSpec(), UdpSpec()])
def test_a_host_that_is_gone_is_unreachable(net: Net, spec: Spec) -> None:
    assert reason(net.probe("10.7.0.77", spec, 9.0)) == (Failed, Reason.UNREACHABLE)


@pytest.mark.parametrize("spec", [TcpSpec(), IcmpSpec(), UdpSpec()])
@pytest.mark.parametrize("address", ["10.8.1.1", "10.8.2.1", "fd00:8:1::1", "fd00:8:2::1"])
def test_a_router_that_says_unreachable_is_believed(net: Net, address: str, spec: Spec) -> None:
    found = [net.probe(address, spec, 1.5)]
    while reason(found[-1]) != (Failed, Reason.UNREACHABLE) and len(found) < 5:
        found.append(net.probe(address, spec, 1.5))  # a router rations what it says: one a second
    assert reason(found[-1]) == (Failed, Reason.UNREACHABLE)


@pytest.mark.parametrize("address", ["10.7.0.254", "fd00:7::fe"])
def test_a_neighbour_answers_and_refuses(net: Net, address: str) -> None:
    assert reason(net.probe(address, IcmpSpec())) == (Passed, None)
    assert reason(net.probe(address, TcpSpec())) == (Failed, Reason.REFUSED)
    assert reason(net.probe(address, UdpSpec())) == (Failed, Reason.REFUSED)


ASKING = UdpSpec(b"x", "y", silence_passes=False)


@contextmanager
def firewall(
    node: Node, program: str, target: str, protocol: str = "udp", *which: str
) -> Iterator[None]:
    """Have a node's firewall do to what comes by a protocol what *target* says.

    The lab's kernel has the old tables alone, a newer host's perhaps none but the new ones.
    """
    rule = ("INPUT", "-p", protocol, *which, "-j", *target.split())
    if node.run(program, "-w", "-A", *rule, check=False).returncode:
        program = f"{program}-legacy"
        node.run(program, "-w", "-A", *rule)
    try:
        yield
    finally:
        node.run(program, "-w", "-D", *rule)


@pytest.mark.parametrize(
    ("address", "program"), [("10.7.0.254", "iptables"), ("fd00:7::fe", "ip6tables")]
)
def test_a_firewall_that_drops_is_silence_and_one_that_rejects_is_heard(
    net: Net, address: str, program: str
) -> None:
    with firewall(net.router, program, "DROP"):
        assert reason(net.probe(address, ASKING, 0.5)) == (Failed, Reason.TIMEOUT)
        assert reason(net.probe(address, UdpSpec(), 0.5)) == (Passed, None)
    prohibited = "icmp-admin-prohibited" if program == "iptables" else "icmp6-adm-prohibited"
    for target, found in (("REJECT", Reason.REFUSED), (prohibited, Reason.UNREACHABLE)):
        how = target if target == "REJECT" else f"REJECT --reject-with {target}"
        with firewall(net.router, program, how):
            assert reason(net.probe(address, UdpSpec())) == (Failed, found)


UNPRIVILEGED = """
import sys
from libra_health.shell.sockets import ping
from libra_health.wire import Target
sock, is_raw = ping(Target(sys.argv[1]))
print("raw" if is_raw else "ping socket")
"""


@pytest.mark.parametrize("address", ["10.7.0.254", "fd00:7::fe"])
def test_an_echo_needs_no_privilege_where_the_group_may_ping(net: Net, address: str) -> None:
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    program = (*nobody, sys.executable, "-c", UNPRIVILEGED, address)
    net.director.sysctl({"net.ipv4.ping_group_range": "1 0"})
    refused = net.director.run(*program, check=False)
    assert "PermissionError" in refused.stderr
    net.director.sysctl({"net.ipv4.ping_group_range": "65534 65534"})
    assert net.director.run(*program).stdout.strip() == "ping socket"
    net.director.sysctl({"net.ipv4.ping_group_range": "0 65534"})
    assert isinstance(net.probe(address, IcmpSpec()), Passed)
    net.director.sysctl({"net.ipv4.ping_group_range": "1 0"})


def test_a_link_that_is_cut_times_out_and_heals(net: Net) -> None:
    link = net.director.links["eth0"]
    link.cut()
    lost = net.probe("10.7.0.254", IcmpSpec(), 0.5)
    link.heal()
    assert reason(lost) == (Failed, Reason.TIMEOUT)
    assert reason(net.probe("10.7.0.254", IcmpSpec())) == (Passed, None)

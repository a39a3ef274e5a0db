"""The lab's networks carry what the kernel's IPVS forwards, and break as they are told to."""

import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from libra_lab.client import Download, ask, fetch
from libra_lab.commands import CommandFailed
from libra_lab.pair import Pair, pair
from libra_lab.probe import Probe
from libra_lab.serving import ready, start
from libra_lab.topology import Topology
from libra_lab.wiring import tunnel_server

pytestmark = pytest.mark.kernel


def namespaces() -> set[str]:
    return {entry.name for entry in Path("/run/netns").iterdir()}


@pytest.fixture(scope="module")
def lab() -> Iterator[Pair]:
    with pair() as built:
        web = [
            start(node, "http", name, 80) for name, node in ({**built.web, **built.sorry}).items()
        ]
        udp = [start(node, "udp", name, 7) for name, node in built.udp.items()]
        ready(*web, *udp)
        director = built.directors["a"]
        director.ip(
            f"addr add {built.web_vip}/32 dev eth0",
            f"addr add {built.udp_vip}/32 dev eth0",
            f"addr add {built.gateway}/24 dev eth1",
        )
        yield built


@pytest.fixture
def web(lab: Pair) -> Iterator[str]:
    director = lab.directors["a"]
    service = ["-t", f"{lab.web_vip}:80"]
    director.ipvsadm("-A", *service, "-s", "rr")
    for node in lab.web.values():
        address = node.addresses["eth0"][0].partition("/")[0]
        director.ipvsadm("-a", *service, "-r", f"{address}:80", "-m")
    yield f"http://{lab.web_vip}/"
    director.ipvsadm("-D", *service)


def test_nat_servers_answer_in_turn(lab: Pair, web: str) -> None:
    seen = [fetch(lab.clients["client"], web).text for _ in range(6)]
    assert sorted(seen[:3]) == ["w1", "w2", "w3"]
    assert seen[3:] == seen[:3]


def test_direct_return_servers_answer_in_turn_from_the_virtual_address(lab: Pair) -> None:
    director = lab.directors["a"]
    service = ["-u", f"{lab.udp_vip}:7"]
    director.ipvsadm("-A", *service, "-s", "rr")
    for number in lab.plan.udp.values():
        director.ipvsadm("-a", *service, "-r", f"{lab.plan.outer(number)}:7", "-g")
    client = lab.clients["client"]
    with lab.udp["u1"].capture("eth0", "udp port 7") as wire:
        seen = [ask(client, lab.udp_vip, 7, "hello") for _ in range(4)]
        wire.wait_for(rf"IP {lab.udp_vip}\.7 > {lab.plan.outer(100)}.*UDP, length 8")
    director.ipvsadm("-D", *service)
    assert sorted(seen[:2]) == ["u1 hello", "u2 hello"]
    assert all(first != second for first, second in pairwise(seen))


def test_tunnel_servers_answer_in_turn(lab: Pair) -> None:
    virtual, topology = "10.1.0.12", lab.topology
    director = lab.directors["a"]
    director.ip(f"addr add {virtual}/32 dev eth0")
    servers = {
        name: tunnel_server(topology, name, "outside", f"10.1.0.{number}/24", [virtual])
        for name, number in (("t1", 31), ("t2", 32))
    }
    ready(*(start(node, "http", name, 80) for name, node in servers.items()))
    director.ipvsadm("-A", "-t", f"{virtual}:80", "-s", "rr")
    for number in (31, 32):
        director.ipvsadm("-a", "-t", f"{virtual}:80", "-r", f"10.1.0.{number}", "-i")
    with servers["t1"].capture("eth0", "ip proto 4") as wire:
        seen = [fetch(lab.clients["client"], f"http://{virtual}/").text for _ in range(4)]
        assert "10.1.0.2 > 10.1.0.31" in wire.wait_for("IP 10.1.0.100")
    assert sorted(seen) == ["t1", "t1", "t2", "t2"]


@pytest.mark.parametrize("silent", [False, True], ids=["pulled", "silent"])
def test_a_cut_link_carries_nothing_until_it_is_healed(
    lab: Pair, web: str, *, silent: bool
) -> None:
    client, director = lab.clients["client"], lab.directors["a"]
    fetch(client, web)
    director.links["eth0"].cut(silent=silent)
    carrier = director.run("cat", "/sys/class/net/eth0/carrier").stdout.strip()
    with pytest.raises(OSError, match=r"timed out|route to host"):
        fetch(client, web, timeout=0.3)
    director.links["eth0"].heal()
    assert carrier == ("1" if silent else "0")
    assert fetch(client, web, timeout=10).status == 200


def test_a_probe_measures_the_gap_of_a_cut(lab: Pair, web: str) -> None:
    link = lab.directors["a"].links["eth0"]
    with Probe(lab.clients["client"], web, interval=0.05, timeout=0.5) as probe:
        probe.wait_for(6)
        link.cut(silent=True)
        with pytest.raises(TimeoutError):
            probe.wait_for(1, timeout=0.6)
        link.heal()
        probe.wait_for(6)
    assert set(probe.shares()) == {"w1", "w2", "w3"}
    assert probe.gap() >= 0.6
    assert {failure.error for failure in probe.failures()} == {"timed out"}


def test_a_shaped_link_delays_both_directions(lab: Pair) -> None:
    client = lab.clients["client"]
    client.links["eth0"].shape(delay_ms=30)
    told = client.run("ping", "-c1", "-W2", "10.1.0.3").stdout
    client.links["eth0"].unshape()
    assert float(told.split("time=")[1].split()[0]) >= 60


def test_a_killed_node_leaves_no_process_and_refuses(lab: Pair) -> None:
    node = lab.sorry["sorry"]
    node.run("true")
    node.popen(["sh", "-c", "setsid sleep 60 & exec sleep 60"])
    node.kill()
    assert node.processes() == []
    with pytest.raises(ConnectionRefusedError):
        fetch(lab.directors["a"], f"http://{lab.plan.inner(99)}/")


def test_a_download_goes_on_at_its_pace(lab: Pair, web: str) -> None:
    url = f"{web}slow?bytes=200000&seconds=1"
    download = Download(lab.clients["client"], url).start().finish()
    assert (download.error, download.size) == ("", 200_000)
    assert 0.9 <= download.arrivals[-1] - download.arrivals[0] <= 5
    assert download.silence < 0.9


def test_two_topologies_live_side_by_side_and_leave_nothing() -> None:
    with Topology() as first, Topology() as second:
        for topology, address in ((first, "10.9.0.1/24"), (second, "10.9.0.2/24")):
            topology.node("n", {"eth0": (topology.network("net"), address)})
        with pytest.raises(CommandFailed, match="100% packet loss"):
            first.nodes["n"].run("ping", "-c1", "-W1", "10.9.0.2")
        names = [topology.nodes["n"].namespace for topology in (first, second)]
        assert set(names) <= namespaces()
    assert set(names).isdisjoint(namespaces())


def test_kernel_settings_belong_to_a_node(lab: Pair) -> None:
    lab.directors["b"].sysctl({"net.ipv4.vs.conn_reuse_mode": 0})
    assert lab.directors["b"].sysctl_value("net.ipv4.vs.conn_reuse_mode") == "0"
    assert lab.directors["a"].sysctl_value("net.ipv4.vs.conn_reuse_mode") == "1"


def test_nodes_speak_ipv6_as_soon_as_they_are_made() -> None:
    with Topology() as topology:
        topology.network("n")
        addresses = ("10.9.0.1/24", "2001:db8::1/64")
        node = topology.node("a", {"eth0": ("n", addresses)}, gateway="2001:db8::2")
        other = topology.node("b", {"eth0": ("n", "2001:db8::2/64")})
        ready(start(other, "udp", "six", 7, "::"), start(other, "http", "six", 80, "::"))
        assert ask(node, "2001:db8::2", 7, "hello") == "six hello"
        assert fetch(node, "http://[2001:db8::2]/").text == "six"
        assert "via 2001:db8::2" in node.run("ip", "-6", "route", "show", "default").stdout


def test_a_probe_over_udp_names_who_answered(lab: Pair) -> None:
    director, service = lab.directors["a"], ["-u", f"{lab.udp_vip}:7"]
    director.ipvsadm("-A", *service, "-s", "rr", "-o")
    director.ipvsadm("-a", *service, "-r", f"{lab.plan.outer(21)}:7", "-g")
    with Probe(lab.clients["client"], f"udp://{lab.udp_vip}:7", interval=0.03) as probe:
        probe.wait_for(5)
        director.ipvsadm("-a", *service, "-r", f"{lab.plan.outer(22)}:7", "-g")
        probe.wait_for(10)
    director.ipvsadm("-D", *service)
    assert set(probe.shares()) == {"u1", "u2"}
    assert probe.failures() == []


def test_a_signalled_server_reports_itself_unhealthy(lab: Pair) -> None:
    node, url = lab.web["w3"], f"http://{lab.plan.inner(13)}/healthz"
    before = fetch(lab.directors["a"], url).status
    node.signal(signal.SIGUSR1)
    during = fetch(lab.directors["a"], url).status
    node.signal(signal.SIGUSR1)
    assert (before, during, fetch(lab.directors["a"], url).status) == (200, 503, 200)

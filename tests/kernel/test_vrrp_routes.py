"""Routes, rules and connected networks that go with the addresses, whatever becomes of the master.

`ip` and the traffic that needs them are the witnesses.
"""

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path

import pytest
from tests.kernel.conftest import INTERVAL, PATIENCE, SIX, VIP, Director, Pair, number, until

from libra_lab.node import Node
from libra_lab.topology import Topology
from libra_lab.wiring import director
from libra_runtime.yaml_config import read_config
from libra_vrrp.kept import dump_instances
from libra_vrrp.lease import Terms
from libra_vrrp.orders import Place
from libra_vrrp.router import Never
from libra_vrrp.routing import PROTOCOL, Fate, Route, Rule
from libra_vrrp.wanted import instances

pytestmark = pytest.mark.network

EXAMPLES = Path(__file__).parents[2] / "examples"
TABLE = 100
ROUTER = IPv4Address("192.0.2.254")
NET, HOLE, NET_6 = map(ip_network, ("10.9.0.0/16", "10.8.0.0/16", "2001:db8:9::/48"))
ROUTES = (
    Route(ip_network("0.0.0.0/0"), "eth0", ROUTER, VIP, table=TABLE),
    Route(NET, None, ROUTER, metric=7),
    Route(HOLE, table=1000, fate=Fate.BLACKHOLE),
    Route(NET_6, "eth0", table=TABLE),
)
RULES = (
    Rule(4, 1000, source=ip_network("10.1.0.0/16"), table=TABLE),
    Rule(4, 1001, destination=HOLE, into="eth0", mark=(16, 255), table=1000),
    Rule(6, 1002, into="eth0", fate=Fate.PROHIBIT),
)
ALL = len(ROUTES) + len(RULES)


def shown(node: Node, *words: str) -> list[str]:
    """Return what `ip` shows of both families, a line each."""
    lines: list[str] = []
    for family in ("-4", "-6"):
        lines += node.run("ip", family, *words, check=False).stdout.splitlines()
    return [" ".join(line.split()) for line in lines]


def ours(one: Director) -> list[str]:
    """Return the routes and rules of LibrA on a director, as `ip` shows them."""
    routes = shown(one.node, "route", "show", "table", "all", "proto", str(PROTOCOL))
    rules = shown(one.node, "-d", "rule", "show")
    return routes + [line for line in rules if line.endswith(f"proto {PROTOCOL}")]


def foreign(node: Node) -> list[str]:
    """Return the rules, and the routes to the network that is ours too, of everybody else."""
    rules = [line for line in shown(node, "-d", "rule", "show") if f"proto {PROTOCOL}" not in line]
    routes = shown(node, "-d", "route", "show", str(NET))
    return rules + [line for line in routes if f"proto {PROTOCOL}" not in line]


@pytest.fixture
def routed(pair: Pair) -> Pair:
    """Give the pair routes and rules of every kind; who is master stays it."""
    for one in (pair.a, pair.b):
        one.order = replace(one.order, routes=ROUTES, rules=RULES, preempt=Never())
        one.write()
    return pair


def begin(pair: Pair) -> None:
    """Start a, and b once a is master."""
    pair.a.start()
    pair.soon(lambda: pair.a.owns() and len(ours(pair.a)) == ALL, "a has all of it")
    pair.b.start()
    pair.soon(pair.b.listens, "b listens")


def has_moved(pair: Pair) -> bool:
    """Say whether b has all of it, and a nothing."""
    is_b = pair.b.owns() and len(ours(pair.b)) == ALL
    return is_b and not pair.a.owns() and ours(pair.a) == []


def test_routes_and_rules_are_on_the_master_alone_and_move_with_the_addresses(routed: Pair) -> None:
    begin(routed)
    assert sorted(ours(routed.a)) == sorted(
        [
            f"default via 192.0.2.254 dev eth0 table 100 src {VIP}",
            "10.9.0.0/16 via 192.0.2.254 dev eth0 metric 7",
            "blackhole 10.8.0.0/16 table 1000",
            "2001:db8:9::/48 dev eth0 table 100 metric 1024 pref medium",
            "1000: from 10.1.0.0/16 lookup 100 proto 112",
            "1001: from all to 10.8.0.0/16 fwmark 0x10/0xff iif eth0 lookup 1000 proto 112",
            "1002: from all iif eth0 prohibit proto 112",
        ]
    )
    assert ours(routed.b) == []
    routed.a.stop()
    assert ours(routed.a) == []
    routed.soon(lambda: has_moved(routed), "b has all of it")
    routed.b.stop()
    assert ours(routed.b) == []


def is_seen(node: Node, log: Path) -> bool:
    """Have a route told of once more, and say whether the monitor has heard of it."""
    node.ip("route replace 10.77.0.0/16 dev eth0")
    return "10.77.0.0/16" in log.read_text()


def test_a_killed_machine_is_replaced_and_they_are_never_gone(routed: Pair, tmp_path: Path) -> None:
    for one in (routed.a, routed.b):
        one.order = replace(one.order, interval=2.0)
        one.write()
    begin(routed)
    before = routed.a.pid("machine")
    log = tmp_path / "monitor"
    with log.open("w") as said:
        monitor = routed.a.node.popen(["ip", "monitor", "route", "rule"], stdout=said)
        routed.soon(lambda: is_seen(routed.a.node, log), "the monitor sees")
        routed.a.signal(signal.SIGKILL, "machine")
        routed.soon(lambda: routed.a.pid("machine") not in {None, before}, "another machine runs")
        routed.a.node.ip("rule del priority 1000")
        routed.soon(lambda: len(ours(routed.a)) == ALL, "the new machine puts back what is missing")
        monitor.terminate()
        monitor.wait(PATIENCE)
    (gone,) = [line for line in log.read_text().splitlines() if line.startswith("Deleted")]
    assert gone.startswith("Deleted 1000:")
    assert ours(routed.b) == []


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_the_guard_removes_them_for_a_machine_that_hangs_or_is_not_back_in_time(
    routed: Pair, number: signal.Signals
) -> None:
    if number is signal.SIGKILL:
        for one in (routed.a, routed.b):
            one.order = replace(one.order, interval=0.04)
            one.write()
    begin(routed)
    routed.a.signal(number, "machine")
    routed.soon(lambda: has_moved(routed), "b alone has all of it")


def test_what_a_dead_director_leaves_is_removed_by_its_next_start(routed: Pair) -> None:
    begin(routed)
    routed.a.node.signal(signal.SIGSTOP)  # so that none of it sees another's end
    routed.a.node.kill()
    routed.soon(lambda: routed.b.owns() and len(ours(routed.b)) == ALL, "b has all of it")
    routed.soon(lambda: not routed.a.owns(), "the kernel takes the address of a back")
    assert ours(routed.a)
    routed.a.start()
    routed.soon(lambda: has_moved(routed), "nothing is left on a")


def test_a_frozen_director_removes_them_when_it_thaws(routed: Pair) -> None:
    begin(routed)
    routed.a.node.signal(signal.SIGSTOP)
    routed.soon(lambda: routed.b.owns() and len(ours(routed.b)) == ALL, "b has all of it")
    routed.soon(lambda: not routed.a.owns(), "the kernel takes the address of a back")
    routed.a.node.signal(signal.SIGCONT)
    routed.soon(lambda: has_moved(routed), "a has given them up")


def test_what_others_have_for_the_same_destination_stays(routed: Pair) -> None:
    for one in (routed.a, routed.b):
        one.node.ip(
            f"route add {NET} via 192.0.2.253 dev eth0 metric 7 proto static",
            "rule add from 10.1.0.0/16 lookup 100 priority 999",
        )
    before = foreign(routed.a.node)
    assert len(before) > 1
    begin(routed)
    assert foreign(routed.a.node) == before
    toward = routed.a.node.run("ip", "route", "get", "10.9.1.1").stdout
    assert f"via {ROUTER}" in toward
    routed.a.stop()
    assert (ours(routed.a), foreign(routed.a.node)) == ([], before)
    assert "via 192.0.2.253" in routed.a.node.run("ip", "route", "get", "10.9.1.1").stdout


def test_what_another_process_removes_comes_back(routed: Pair) -> None:
    begin(routed)
    routed.a.node.ip(f"route del {NET}", "rule del priority 1000")
    routed.a.node.run("ip", "-6", "rule", "del", "priority", "1002")
    routed.soon(lambda: len(ours(routed.a)) == ALL, "all of it is back")
    routed.a.node.ip(f"addr del {VIP}/32 dev eth0")
    routed.soon(lambda: routed.a.owns() and len(ours(routed.a)) == ALL, "the address too")


def test_an_ipv6_route_leads_from_the_virtual_address_again_once_that_is_back(pair: Pair) -> None:
    """Without the address the kernel keeps such a route, and forgets where it leads from."""
    number(pair)
    led = Route(NET_6, "eth0", source=SIX, table=TABLE)
    pair.a.order = replace(pair.a.order, places=(Place("eth0", SIX),), routes=(led,))
    pair.a.write()
    pair.a.start()

    def is_led() -> bool:
        (line,) = ours(pair.a) or [""]
        return f"src {SIX}" in line

    pair.soon(lambda: pair.a.owns(SIX) and is_led(), "a has the address, and the route from it")
    pair.a.node.ip(f"addr del {SIX}/128 dev eth0")
    pair.soon(lambda: pair.a.owns(SIX) and is_led(), "both are back")


def test_a_config_adds_and_removes_them_and_the_master_stays(routed: Pair) -> None:
    begin(routed)
    kept = sorted(ours(routed.a))
    routed.a.order = replace(routed.a.order, routes=ROUTES[:2], rules=())
    routed.a.reload()
    routed.soon(lambda: len(ours(routed.a)) == 2, "what was dropped is gone")
    assert set(ours(routed.a)) < set(kept)
    routed.a.order = replace(routed.a.order, routes=ROUTES, rules=RULES)
    routed.a.reload()
    routed.soon(lambda: sorted(ours(routed.a)) == kept, "all of it is back")
    assert routed.owners() == ["a"]


def test_a_route_that_the_kernel_refuses_is_told_and_waits_and_the_address_stays(
    routed: Pair, capfd: pytest.CaptureFixture[str]
) -> None:
    told: list[str] = []

    def alarmed(what: str) -> bool:
        told.append(capfd.readouterr().err)
        return what in "".join(told)

    far = Route(ip_network("10.7.0.0/16"), None, IPv4Address("198.51.100.1"))
    away = Route(ip_network("10.6.0.0/16"), "eth7")
    for one in (routed.a, routed.b):
        one.order = replace(one.order, routes=(far, away, *ROUTES))
        one.write()
    begin(routed)
    routed.soon(lambda: alarmed("interface eth7 does not exist; route 10.7.0.0/16"), "an alarm")
    assert alarmed("Network is unreachable (Nexthop has invalid gateway)")
    routed.a.node.ip("route add 198.51.100.0/24 dev eth0")
    routed.soon(lambda: len(ours(routed.a)) == ALL + 1, "the kernel takes it")
    routed.a.node.ip(
        "link add eth7 type veth peer name eth8", "link set eth7 up", "link set eth8 up"
    )
    routed.soon(lambda: len(ours(routed.a)) == ALL + 2, "the other too")
    assert routed.owners() == ["a"]


PUBLIC, PUBLIC_6 = IPv4Address("198.51.100.10"), IPv6Address("2001:db8:5::10")


def test_what_a_killed_one_left_goes_where_there_is_no_instance_any_more(
    routed: Pair, tmp_path: Path
) -> None:
    """It was left for ever: nobody looked. What another libra-vrrp works with stays."""
    begin(routed)
    idle = replace(routed.a, state=tmp_path / "idle", parent=None, log=tmp_path / "idle.log")
    idle.write()
    (idle.state / "vrrp" / "routers.jsonl").write_bytes(dump_instances(()))
    idle.start()
    log = tmp_path / "idle.log"
    routed.soon(lambda: "the machine works" in log.read_text(), "it works")
    until_then = time.monotonic() + 2
    while time.monotonic() < until_then:
        assert len(ours(routed.a)) == ALL
    assert routed.a.owns()
    idle.stop()
    routed.a.node.signal(signal.SIGSTOP)
    routed.a.node.kill()
    assert ours(routed.a) != []
    idle.start()
    routed.soon(lambda: ours(routed.a) == [], "nothing is left")
    idle.stop()


def connected(node: Node, network: str) -> list[str]:
    """Return the routes to a network that an interface is connected to."""
    return [line for line in shown(node, "route", "show", network) if line]


def test_a_connected_address_brings_its_network_and_takes_it_along(pair: Pair) -> None:
    number(pair)
    for one in (pair.a, pair.b):
        more = Place("eth0", PUBLIC, 24), Place("eth0", PUBLIC_6, 64), Place("eth0", SIX, 64)
        one.order = replace(one.order, excluded=more, preempt=Never())
        one.write()
    pair.client.ip("addr add 198.51.100.100/24 dev eth0", "addr add 2001:db8:5::100/64 dev eth0")
    own = connected(pair.a.node, "2001:db8::/64")
    pair.a.start()
    pair.soon(pair.a.owns, "a is master")
    pair.b.start()
    pair.soon(pair.b.listens, "b listens")
    nets = ("198.51.100.0/24", "2001:db8:5::/64")
    pair.soon(lambda: all(connected(pair.a.node, net) for net in nets), "a is connected")
    assert [connected(pair.b.node, net) for net in nets] == [[], []]
    for address in (PUBLIC, PUBLIC_6):
        pair.soon(lambda address=address: pair.pings(address), f"{address} answers")  # type: ignore[misc]  # bound now
    pair.soon(lambda: set(own) < set(connected(pair.a.node, "2001:db8::/64")), "and its own too")
    assert "expires" not in "".join(connected(pair.a.node, "2001:db8::/64"))
    pair.a.node.kill()
    pair.soon(lambda: all(connected(pair.b.node, net) for net in nets), "b is connected")
    pair.soon(lambda: not any(pair.a.owns(each) for each in (PUBLIC, PUBLIC_6)), "a lost them")
    assert connected(pair.a.node, nets[0]) == []
    pair.a.start()
    pair.soon(lambda: connected(pair.a.node, nets[1]) == [], "nothing is left on a")
    pair.soon(lambda: connected(pair.a.node, "2001:db8::/64") == own, "but its own")


def test_a_connected_address_that_came_first_takes_no_address_of_the_host_along(pair: Pair) -> None:
    pair.a.order = replace(pair.a.order, places=(Place("eth0", VIP, 24),))
    pair.a.write()
    pair.a.start()
    pair.soon(pair.a.owns, "a has it")
    pair.a.node.ip("addr del 192.0.2.1/24 dev eth0", "addr add 192.0.2.1/24 dev eth0")
    pair.soon(pair.a.owns, "a has it still, or again")
    pair.a.node.kill()
    pair.soon(lambda: not pair.a.owns(), "the kernel takes it back")
    held = json.loads(pair.a.node.run("ip", "-j", "-4", "addr", "show", "dev", "eth0").stdout)
    assert [one["local"] for one in held[0]["addr_info"]] == ["192.0.2.1"]
    assert connected(pair.a.node, "192.0.2.0/24")


def test_connected_is_switched_without_the_address_ever_being_gone(
    pair: Pair, tmp_path: Path
) -> None:
    """Found by review: it was gone for a quarter of the lease."""
    node, told = pair.a.node, tmp_path / "told"
    pair.a.order = replace(pair.a.order, terms=Terms(60))
    pair.a.write()
    pair.a.start()
    pair.soon(pair.a.owns, "a has it")
    watching = node.popen(["sh", "-c", f"exec ip -o -4 monitor address > {told}"])

    def is_watched() -> bool:
        node.ip("addr replace 203.0.113.1/32 dev lo")
        return told.exists() and "203.0.113.1" in told.read_text()

    pair.soon(is_watched, "it is watched")
    for prefix, length in ((24, 24), (None, 32)):
        pair.a.order = replace(pair.a.order, places=(Place("eth0", VIP, prefix),))
        pair.a.reload()
        pair.soon(lambda n=length: lengths(node) == [n], f"it has a prefix of {length}")  # type: ignore[misc]  # bound now
        assert pair.pings(VIP)
    watching.terminate()
    watching.wait(PATIENCE)
    forms = [
        re.findall(rf"(Deleted)?.*{VIP}/(\d+) ", line) for line in told.read_text().splitlines()
    ]
    assert [one for (one,) in filter(None, forms)] == [
        ("", "24"),
        ("Deleted", "32"),
        ("", "32"),
        ("Deleted", "24"),
    ]


def lengths(node: Node) -> list[int]:
    """Return under which prefix lengths a node holds the address."""
    held = json.loads(node.run("ip", "-j", "-4", "addr", "show", "dev", "eth0").stdout)
    return [one["prefixlen"] for one in held[0]["addr_info"] if one["local"] == str(VIP)]


@pytest.fixture
def uplink(tmp_path: Path) -> Iterator[tuple[dict[str, Director], Node]]:
    """Build the network of examples/uplink.yaml: directors, and a server behind them.

    Its instance has another interval here: 250 ms instead of 100 ms (test_vrrp_examples.py: as
    written).
    """
    config, _ = read_config(EXAMPLES / "uplink.yaml")
    with Topology() as topology:
        for name in ("world", "farm"):
            topology.network(name)
        directors = {}
        for host, name in enumerate("ab", 2):
            node = director(
                topology, name, {"eth1": ("farm", f"10.0.1.{host}/24"), "eth0": ("world", ())}
            )
            (order,) = instances(config, name)
            directors[name] = Director(node, tmp_path / name, replace(order, interval=INTERVAL))
            directors[name].write()
        world = topology.node("world", {"eth0": ("world", "198.51.100.9/29")})
        world.ip("addr add 203.0.113.1/32 dev lo", "route add 10.0.1.0/24 via 198.51.100.10")
        server = topology.node("server", {"eth0": ("farm", "10.0.1.100/24")}, gateway="10.0.1.1")
        yield directors, server
        for one in directors.values():
            if one.parent is not None:
                one.stop()
            assert ours(one) == []


def reaches(node: Node, address: str) -> bool:
    """Say whether the world answers."""
    ping: subprocess.CompletedProcess[str] = node.run("ping", "-c1", "-W1", address, check=False)
    return ping.returncode == 0


def listens(node: Node, interface: str) -> bool:
    """Say whether a machine has joined the group of VRRP there."""
    return "224.0.0.18" in node.run("ip", "maddr", "show", "dev", interface).stdout


def test_servers_reach_the_world_through_the_master_alone(
    uplink: tuple[dict[str, Director], Node],
) -> None:
    directors, server = uplink
    assert not reaches(server, "203.0.113.1")
    directors["a"].start()
    until(lambda: reaches(server, "203.0.113.1"), PATIENCE, "a leads out")
    directors["b"].start()
    until(lambda: listens(directors["b"].node, "eth1"), PATIENCE, "b listens")
    assert ours(directors["b"]) == []
    directors["a"].node.kill()
    until(lambda: reaches(server, "203.0.113.1") and ours(directors["b"]), PATIENCE, "b leads out")
    directors["a"].start()
    until(lambda: ours(directors["b"]) == [], PATIENCE, "a is master again")
    until(lambda: reaches(server, "203.0.113.1"), PATIENCE, "and leads out")

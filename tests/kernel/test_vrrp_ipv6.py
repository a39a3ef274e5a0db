"""IPv6 virtual routers on a real network: leased, announced, and together with those of IPv4."""

import re
import signal
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.kernel.conftest import LOCAL, MORE, SIX, VIP, number

from libra_schemas.config import Config
from libra_vrrp.lease import Terms
from libra_vrrp.orders import Place
from libra_vrrp.router import Never
from libra_vrrp.wanted import instances

if TYPE_CHECKING:
    from tests.kernel.conftest import Director, Pair

    from libra_vrrp.rtnetlink import IpAddress

pytestmark = pytest.mark.network

INTERVAL = 0.25
SKEW_OF_B = (256 - 100) / 256 * INTERVAL
TAKEOVER = 3 * INTERVAL + SKEW_OF_B
LEASE = 2.0
GROUPS = "224.0.0.18", "ff02::12"
LATE = 1.0
"""Seconds that the kernel may keep an address beyond its life (ADDRCONF_TIMER_FUZZ_MAX)."""
SLACK = 1.0
"""Seconds that starting programs to look takes on a slow kernel."""


@pytest.fixture
def both(pair: "Pair") -> "Pair":
    """Give each director the two routers of an instance with both families."""
    number(pair)
    for director in (pair.a, pair.b):
        director.order = replace(director.order, group="both families of front")
        other = replace(director.order, name="front-ipv6", places=(Place("eth0", SIX),))
        director.others = (other,)
        director.write()
    return pair


def elect(pair: "Pair") -> None:
    """Start both and wait until a alone owns the address."""
    pair.b.start()
    pair.a.start()
    owns_alone(pair, "a", SIX)


def owns_alone(pair: "Pair", name: str, *addresses: "IpAddress") -> None:
    """Wait until one director, and no other, has each of the addresses."""
    for address in addresses:
        pair.soon(partial(pair.is_owned_by, name, address), f"{name} alone owns {address}")


def is_known(pair: "Pair", director: "Director", *addresses: "IpAddress") -> None:
    """Wait until the client reaches the addresses, and knows them as the director's."""
    for address in addresses:
        told = f"the client knows {address} as {director.node.name}'s"
        pair.soon(partial(_is_neighbour, pair, director, address), told)


def _is_neighbour(pair: "Pair", director: "Director", address: "IpAddress") -> bool:
    return pair.pings(address) and pair.neighbour(address) == director.mac()


def own_addresses(director: "Director") -> str:
    """Return the node's own addresses, as `ip` shows them without what changes."""
    shown = director.node.run("ip", "-o", "addr", "show", "dev", "eth0").stdout
    return "\n".join(line for line in shown.splitlines() if "dynamic" not in line)


def test_a_master_answers_for_every_address_it_holds(six: "Pair") -> None:
    elect(six)
    is_known(six, six.a, SIX, MORE)
    assert six.a.owns(LOCAL)


def test_addresses_are_leased_and_never_the_source_of_the_hosts_traffic(six: "Pair") -> None:
    elect(six)
    shown = six.a.node.run("ip", "addr", "show", "dev", "eth0").stdout
    said = (
        r"2001:db8::10/128 scope global nodad deprecated dynamic noprefixroute\s+valid_lft [12]sec"
    )
    assert re.search(said, shown)
    route = six.a.node.run("ip", "-6", "route", "get", "2001:db8::3").stdout
    assert "src 2001:db8::1 " in route


def test_adverts_come_from_the_link_local_address_and_list_what_is_not_excluded(
    six: "Pair",
) -> None:
    own = six.a.node.run("ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope", "link").stdout
    source = own.split()[3].partition("/")[0]
    elect(six)
    with six.client.capture("eth0", "ip6 proto 112", "-v", "-x") as seen:
        line = seen.wait_for(r"0x0040: ")
    assert f"{source} > ff02::12" in "".join(seen.lines)
    assert "hlim 255" in "".join(seen.lines)
    packet = "".join(re.findall(r"0x[0-9a-f]{4}:\s+([0-9a-f ]+)", "\n".join(seen.lines))[:5])
    assert line
    assert packet.replace(" ", "")[40 * 2 + 16 :] == (LOCAL.packed + SIX.packed).hex()


@pytest.mark.parametrize("forwards", [0, 1])
def test_the_neighbours_are_told_whether_it_is_a_router(six: "Pair", forwards: int) -> None:
    for director in (six.a, six.b):
        director.node.sysctl({"net.ipv6.conf.eth0.forwarding": forwards})
    with six.client.capture("eth0", "icmp6 and ip6[40] == 136 and dst ff02::1", "-v") as seen:
        elect(six)
        seen.wait_for(f"tgt is {MORE}, ")
    flags = "router, override" if forwards else "override"
    told = [line for line in seen.lines if f"tgt is {SIX}, " in line]
    assert told
    assert all(f"Flags [{flags}]" in line for line in told)


def test_a_killed_master_is_replaced_in_the_clients_cache_and_leaves_nothing(six: "Pair") -> None:
    elect(six)
    before = own_addresses(six.a)
    is_known(six, six.a, SIX)
    six.a.node.kill()
    six.until(lambda: six.b.owns(SIX), TAKEOVER + SLACK, "b owns the address")
    six.soon(lambda: six.neighbour(SIX) == six.b.mac(), "the client is told of the new owner")
    six.until(lambda: six.owners(SIX) == ["b"], LEASE + LATE + SLACK, "b alone owns the address")
    assert six.pings(SIX)
    six.until(lambda: not six.a.owns(LOCAL), LATE + SLACK, "a has nothing of the others either")
    assert not six.a.owns(MORE)
    assert own_addresses(six.a) == before


def test_an_orderly_stop_hands_over_at_once_and_leaves_nothing(six: "Pair") -> None:
    before = own_addresses(six.a)
    elect(six)
    six.a.stop()
    six.until(lambda: six.owners(SIX) == ["b"], SKEW_OF_B + SLACK, "b alone owns the address")
    shown = six.a.node.run("ip", "-o", "addr", "show", "dev", "eth0").stdout
    assert "dynamic" not in shown
    assert own_addresses(six.a) == before


def test_a_stopped_machine_loses_its_lease_and_thaws_without_taking_it_back(six: "Pair") -> None:
    elect(six)
    six.a.signal(signal.SIGSTOP, "parent", "machine")
    six.until(lambda: six.b.owns(SIX), TAKEOVER + SLACK, "b owns the address")
    six.until(lambda: not six.a.owns(SIX), LEASE + LATE + SLACK, "the kernel takes it from a")
    six.b.order = replace(six.b.order, priority=200)
    six.b.reload()
    with six.client.capture("eth0", "ip6 proto 112 and ether src " + six.a.mac()) as of_a:
        six.a.signal(signal.SIGCONT, "machine", "parent")
        for _ in range(100):
            assert not six.a.owns(SIX)
            time.sleep(0.01)
    assert of_a.lines == []


def test_a_killed_machine_is_replaced_and_nothing_is_left_twice(six: "Pair") -> None:
    elect(six)
    before = six.a.pid("machine")
    six.a.signal(signal.SIGKILL, "machine")
    six.soon(lambda: six.a.pid("machine") not in {None, before}, "another machine runs")
    for address in (SIX, LOCAL, MORE):
        owns_alone(six, "a", address)
    is_known(six, six.a, SIX)


def test_an_address_of_the_hosts_own_is_neither_leased_nor_removed(six: "Pair") -> None:
    """The kernel would give a lease's life to an address that has another prefix length."""
    six.a.node.ip(f"addr add {MORE}/64 dev eth0", f"addr add {SIX}/128 dev lo")
    six.a.start()
    six.soon(lambda: six.a.owns(LOCAL), "a owns what is not its own")
    until = time.monotonic() + LEASE + LATE
    while time.monotonic() < until:
        assert not six.a.owns(SIX)
        time.sleep(0.05)
    six.a.stop()
    shown = own_addresses(six.a)
    assert f"{MORE}/64 scope global" in shown
    assert six.a.owns(SIX, "lo")


def test_a_lost_link_local_address_is_a_fault_and_another_one_is_followed(six: "Pair") -> None:
    elect(six)
    link = six.a.node.run("ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope", "link").stdout
    own = next(line.split()[3] for line in link.splitlines() if "dynamic" not in line)
    six.a.node.ip(f"addr del {own} dev eth0")
    owns_alone(six, "b", SIX)
    with six.client.capture("eth0", "ip6 proto 112") as seen:
        six.a.node.ip("addr add fe80::a/64 dev eth0 nodad")
        owns_alone(six, "a", SIX)
        seen.wait_for(r"fe80::a > ff02::12")


def test_a_link_local_address_is_used_after_duplicate_address_detection_alone(
    six: "Pair",
) -> None:
    """A link that comes up is waited for; where another machine has our address we stay away."""
    six.a.node.sysctl({"net.ipv6.conf.eth0.accept_dad": 1})
    elect(six)
    own = next(line.split()[3] for line in own_addresses(six.a).splitlines() if "fe80::" in line)
    six.a.node.ip("link set eth0 down")
    owns_alone(six, "b", SIX)
    six.a.node.ip("link set eth0 up")
    owns_alone(six, "a", SIX)
    six.a.node.ip("link set eth0 down")
    owns_alone(six, "b", SIX)
    six.b.node.ip(f"addr add {own} dev eth0 nodad")
    six.a.node.ip("link set eth0 up")
    six.soon(lambda: "dadfailed" in own_addresses(six.a), "the kernel of a found a duplicate")
    until = time.monotonic() + 2 * TAKEOVER
    while time.monotonic() < until:
        assert six.owners(SIX) == ["b"]


def test_both_families_are_owned_and_move_together(both: "Pair") -> None:
    elect(both)
    owns_alone(both, "a", VIP)
    is_known(both, both.a, VIP, SIX)
    both.a.node.kill()
    is_known(both, both.b, VIP, SIX)
    owns_alone(both, "b", VIP, SIX)


def test_what_one_family_cannot_do_the_other_does_not(both: "Pair") -> None:
    """IPv6 is switched off on the master's interface: it must not keep the address of IPv4."""
    elect(both)
    owns_alone(both, "a", VIP)
    both.a.node.sysctl({"net.ipv6.conf.eth0.disable_ipv6": 1})
    owns_alone(both, "b", SIX, VIP)
    is_known(both, both.b, SIX, VIP)
    both.a.node.sysctl({"net.ipv6.conf.eth0.disable_ipv6": 0})
    both.a.node.ip("addr add 2001:db8::1/64 dev eth0 nodad")
    owns_alone(both, "a", SIX, VIP)


def test_a_hung_machine_is_handed_over_in_both_families(both: "Pair") -> None:
    elect(both)
    owns_alone(both, "a", VIP)
    is_known(both, both.a, VIP, SIX)
    for director in (both.a, both.b):
        director.order = replace(director.order, preempt=Never())
        director.others = tuple(replace(one, preempt=Never()) for one in director.others)
        director.reload()
    with both.client.capture("eth0", "ip6 proto 112 or ip proto 112") as seen:
        both.a.signal(signal.SIGSTOP, "machine")
        owns_alone(both, "b", VIP, SIX)
        for source in ("192.0.2.1", "fe80::[0-9a-f:]+"):
            seen.wait_for(rf"{source} > .*VRRPv3.*prio 0")
    is_known(both, both.b, VIP, SIX)


def test_a_killed_machine_is_adopted_in_both_families(both: "Pair") -> None:
    for director in (both.a, both.b):
        terms = Terms(duration=10)
        director.order = replace(director.order, interval=2.0, terms=terms)
        director.others = tuple(replace(one, interval=2.0, terms=terms) for one in director.others)
        director.write()
    elect(both)
    owns_alone(both, "a", VIP)
    before = both.a.pid("machine")
    with both.client.capture("eth0", "ip6 proto 112") as seen:
        both.a.signal(signal.SIGKILL, "machine")
        both.soon(lambda: both.a.pid("machine") not in {None, before}, "another runs")
        seen.wait_for("prio 150")
        assert both.a.owns(SIX)
        assert both.a.owns(VIP)
    assert not [line for line in seen.lines if "prio 100" in line or "prio 0" in line]


UNICAST = {
    "version": 1,
    "nodes": {"a": {"address": "192.0.2.1"}, "b": {"address": "192.0.2.2"}},
    "instances": {
        "front": {
            "interface": "eth0",
            "vrid": 51,
            "interval": "250ms",
            "priority": {"a": 150, "b": 100},
            "addresses": [f"{VIP}/24", f"{SIX}/64"],
            "unicast": {"a": ["192.0.2.1", "2001:db8::1"], "b": ["2001:db8::2", "192.0.2.2"]},
            "preempt": True,
        }
    },
}


def test_each_family_of_a_unicast_instance_speaks_to_the_peers_of_its_own_and_both_move_together(
    pair: "Pair",
) -> None:
    number(pair)
    config = Config.model_validate(UNICAST)
    for director in (pair.a, pair.b):
        director.order, *others = instances(config, director.node.name)
        director.others = tuple(others)
        director.write()
    with (
        pair.b.node.capture("eth0", "ip proto 112") as four,
        pair.b.node.capture("eth0", "ip6 proto 112") as other,
    ):
        elect(pair)
        four.wait_for(r"192\.0\.2\.1 > 192\.0\.2\.2: VRRPv3, .*prio 150")
        other.wait_for("2001:db8::1 > 2001:db8::2: ")
        assert not any(group in line for line in four.lines + other.lines for group in GROUPS)
    is_known(pair, pair.a, VIP, SIX)
    pair.a.node.ip("addr del 2001:db8::1/64 dev eth0")
    owns_alone(pair, "b", VIP, SIX)
    pair.a.node.ip("addr add 2001:db8::1/64 dev eth0")
    owns_alone(pair, "a", VIP, SIX)
    pair.a.node.kill()
    owns_alone(pair, "b", VIP, SIX)

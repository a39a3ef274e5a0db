"""The sockets of VRRP on a real network: who hears what, from whom, and with which hop limit."""

import json
import select
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

import pytest

from libra_lab.node import Node
from libra_lab.topology import Topology
from libra_vrrp.codec import GROUP, Datagram
from libra_vrrp.orders import Channel, Multicast, Unicast
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.shell.link import Link
from libra_vrrp.shell.wire import Heard

pytestmark = pytest.mark.network
FAMILIES = pytest.mark.parametrize("family", [4, 6])
PATIENCE = 60.0
A = {4: ip_address("192.0.2.1"), 6: ip_address("2001:db8::1")}
B = {4: ip_address("192.0.2.2"), 6: ip_address("2001:db8::2")}
OTHER = {4: ip_address("192.0.2.3"), 6: ip_address("2001:db8::3")}
"""A second address of a."""
MESSAGE = bytes(range(16))


@dataclass
class Net:
    """Nodes a and b on one network, each with a second network of its own that leads nowhere."""

    a: Node
    b: Node
    links: ExitStack = field(default_factory=ExitStack)

    def link(self, node: Node, channel: Channel) -> Link:
        """Open a socket on a node."""
        index = 0
        if isinstance(channel, Multicast):
            shown = node.run("ip", "-j", "link", "show", "dev", channel.interface).stdout
            index = json.loads(shown)[0]["ifindex"]
        return self.links.enter_context(closing(node.call(Link, channel, index)))


@pytest.fixture
def net() -> Iterator[Net]:
    with Topology() as topology:
        one, two = topology.network("one"), topology.network("two")
        a = topology.node("a", {"eth0": (one, "192.0.2.1/24"), "eth1": (two, "10.1.0.1/24")})
        b = topology.node("b", {"eth0": (one, "192.0.2.2/24"), "eth1": (two, "10.1.0.2/24")})
        a.ip("addr add 192.0.2.3/24 dev eth0", "addr add 2001:db8::3/64 dev eth0 nodad")
        a.ip("addr add 2001:db8::1/64 dev eth0 nodad")
        b.ip("addr add 2001:db8::2/64 dev eth0 nodad")
        made = Net(a, b)
        with made.links:
            yield made


def heard(link: Link) -> list[Heard]:
    """Wait until something is heard, and return it."""
    assert select.select([link], [], [], PATIENCE)[0], "nothing is heard"
    return link.receive()


def to_group(source: IpAddress) -> Datagram:
    return Datagram(source, GROUP[source.version], MESSAGE)


@FAMILIES
def test_what_is_said_to_the_group_is_heard_by_all_others_on_the_network(
    net: Net, family: int
) -> None:
    a, b = (net.link(node, Multicast("eth0", family)) for node in (net.a, net.b))
    elsewhere = net.link(net.b, Multicast("eth1", family))
    assert a.send(to_group(A[family]))
    assert heard(b) == [to_group(A[family])]
    assert b.send(to_group(B[family]))
    assert heard(a) == [to_group(B[family])], "and not what it said itself"
    assert elsewhere.receive() == []


@FAMILIES
def test_the_source_is_the_one_that_was_asked_for(net: Net, family: int) -> None:
    a, b = (net.link(node, Multicast("eth0", family)) for node in (net.a, net.b))
    assert a.send(to_group(OTHER[family]))
    assert heard(b) == [to_group(OTHER[family])]


@FAMILIES
def test_what_is_said_to_a_peer_is_heard_by_who_has_the_address(net: Net, family: int) -> None:
    a, b = (net.link(node, Unicast(who[family])) for node, who in ((net.a, A), (net.b, B)))
    other = net.link(net.a, Unicast(OTHER[family]))
    said = Datagram(B[family], A[family], MESSAGE)
    assert b.send(said)
    assert heard(a) == [said]
    assert other.receive() == []
    back = Datagram(A[family], B[family], MESSAGE)
    assert a.send(back)
    assert heard(b) == [back]


@FAMILIES
def test_who_listens_to_the_group_hears_what_is_said_to_him_alone(net: Net, family: int) -> None:
    """It is counted, so that who waits for the group learns that the peer is unicast."""
    group = net.link(net.a, Multicast("eth0", family))
    said = Datagram(B[family], A[family], MESSAGE)
    assert net.link(net.b, Unicast(B[family])).send(said)
    assert heard(group) == [said]


@FAMILIES
def test_who_is_unicast_does_not_hear_the_group(net: Net, family: int) -> None:
    alone = net.link(net.a, Unicast(A[family]))
    group = net.link(net.a, Multicast("eth0", family))
    assert net.link(net.b, Multicast("eth0", family)).send(to_group(B[family]))
    assert heard(group) == [to_group(B[family])]
    assert alone.receive() == []


@FAMILIES
def test_the_hop_limit_is_told(net: Net, family: int) -> None:
    a, b = (net.link(node, Multicast("eth0", family)) for node in (net.a, net.b))
    said = replace(to_group(B[family]), hops=64)
    assert b.send(said)
    assert heard(a) == [said]


@FAMILIES
def test_a_unicast_socket_may_be_there_before_its_address(net: Net, family: int) -> None:
    later = ip_address("192.0.2.77" if family == 4 else "2001:db8::77")
    link = net.link(net.a, Unicast(later))
    b = net.link(net.b, Unicast(B[family]))
    net.a.ip(f"addr add {later}/{later.max_prefixlen} dev eth0 nodad")
    said = Datagram(later, B[family], MESSAGE)
    assert link.send(said)
    assert heard(b) == [said]


def test_an_empty_message_is_a_message(net: Net) -> None:
    """What is in a datagram is none of the socket's concern."""
    a, b = (net.link(node, Multicast("eth0", 4)) for node in (net.a, net.b))
    assert a.send(Datagram(A[4], GROUP[4], b""))
    assert heard(b) == [Datagram(A[4], GROUP[4], b"")]


def test_a_link_local_source_says_what_it_is(net: Net) -> None:
    shown = json.loads(net.b.run("ip", "-j", "-6", "addr", "show", "dev", "eth0").stdout)
    (local,) = [i["local"] for i in shown[0]["addr_info"] if i.get("scope") == "link"]
    a, b = (net.link(node, Multicast("eth0", 6)) for node in (net.a, net.b))
    began = time.monotonic()
    while not b.send(to_group(ip_address(local))):  # until the kernel has found no duplicate of it
        assert time.monotonic() < began + PATIENCE
        time.sleep(0.05)
    assert heard(a) == [to_group(ip_address(local))]


def test_an_interface_that_is_gone_is_an_error(net: Net) -> None:
    for family in (4, 6):
        with pytest.raises(OSError, match=r"No such device|annot assign"):
            net.a.call(Link, Multicast("eth7", family), 4711)

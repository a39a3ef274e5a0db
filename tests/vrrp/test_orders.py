"""What the reporter tells the machine."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.contribution import Contribution, Moved
from libra_vrrp.orders import (
    Coverage,
    Failover,
    Hello,
    Instance,
    MalformedOrder,
    Multicast,
    Order,
    Place,
    Release,
    Routers,
    Taken,
    Tracked,
    Unicast,
    dumps,
    loads,
)

DOWN = Moved("service.web", Contribution(-20, "service web is down"))
FAULT = Moved("program.gw", Contribution(None, "program gw: exit status 1"))


@pytest.mark.parametrize(
    "order",
    [
        Routers(),
        Tracked("front", (DOWN, FAULT), held=("file.hand",)),
        Tracked("front", ()),
        Coverage(0.93),
        Coverage(None),
        Failover("front", 60.0),
        Release("front"),
        Hello(),
        Taken("1-2", 7),
    ],
)
def test_every_order_survives_the_line(order: Order) -> None:
    assert loads(dumps(order)) == order


def test_who_has_the_same_channel_shares_a_socket() -> None:
    place = Place("eth1", IPv4Address("192.0.2.10"))
    front = Instance("front", "eth0", 51, 150, (place,))
    assert front.channel == replace(front, name="back", vrid=52).channel == Multicast("eth0", 4)
    six = replace(front, places=(Place("eth0", IPv6Address("fe80::10")),))
    assert six.channel == Multicast("eth0", 6)
    ours, peers = IPv4Address("10.0.0.1"), (IPv4Address("10.0.0.2"),)
    assert replace(front, source=ours, peers=peers).channel == Unicast(ours)
    assert (Unicast(ours).family, six.channel.family) == (4, 6)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"order": "dance"}', id="an unknown order"),
        pytest.param(b'{"order": "tracked", "instance": "front"}', id="half an order"),
        pytest.param(
            b'{"order": "tracked", "instance": "x", "moved": [["a", "b", ""]], "held": []}',
            id="a word for a delta",
        ),
        pytest.param(b'{"order": "failover", "instance": "x", "hold": "y"}', id="no number"),
    ],
)
def test_senseless_orders_are_refused(line: bytes) -> None:
    with pytest.raises(MalformedOrder):
        loads(line)


@given(st.binary(max_size=60))
def test_any_line_is_an_order_or_refused(line: bytes) -> None:
    with pytest.raises(MalformedOrder):
        loads(line)


def test_a_place_is_one_hosts_unless_it_is_connected() -> None:
    four, six = IPv4Address("192.0.2.10"), IPv6Address("fe80::10")
    assert (Place("eth0", four).length, Place("eth0", six).length) == (32, 128)
    assert Place("eth0", four, 24).length == 24

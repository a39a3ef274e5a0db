"""What the reporter tells the machine, over the line and in the kept list."""

import json
from dataclasses import replace
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.announce import Garp
from libra_vrrp.codec import Checksum
from libra_vrrp.lease import Terms
from libra_vrrp.orders import (
    Coverage,
    Delta,
    Failover,
    Hello,
    Instance,
    MalformedOrder,
    Order,
    Place,
    Release,
    Routers,
    Taken,
    dump_instances,
    dumps,
    load_instances,
    loads,
)
from libra_vrrp.router import After, Always, Never, Preempt, WhenSynced

FRONT = Instance(
    name="front",
    interface="eth0",
    vrid=51,
    priority=150,
    places=(
        Place("eth0", IPv4Address("192.0.2.10")),
        Place("eth1", IPv4Address("10.1.0.1")),
    ),
    interval=0.1,
    start_delay=3.0,
    terms=Terms(4, 0.75),
    garp=Garp(3, 1.0, 60.0),
    checksum=Checksum.RFC9568,
    tracked=("eth2",),
)


@pytest.mark.parametrize(
    "order",
    [
        Routers(),
        Delta("front", "service.web", -20),
        Coverage(synced=True),
        Failover("front", 60.0),
        Release("front"),
        Hello(),
        Taken("1-2", 7),
    ],
)
def test_every_order_survives_the_line(order: Order) -> None:
    assert loads(dumps(order)) == order


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"order": "dance"}', id="an unknown order"),
        pytest.param(b'{"order": "delta", "instance": "front"}', id="half an order"),
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


@pytest.mark.parametrize("preempt", [Never(), Always(), After(5.0), WhenSynced(60.0)])
def test_the_list_of_routers_survives_the_file(preempt: Preempt) -> None:
    listed = (replace(FRONT, preempt=preempt), replace(FRONT, name="back", vrid=52))
    assert load_instances(dump_instances(listed)) == listed


def test_an_empty_list_is_a_list() -> None:
    assert load_instances(b"\n") == ()


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"vrid": "x"}, id="a word for a number"),
        pytest.param({"preempt": ["perhaps", 1]}, id="an unknown preemption"),
        pytest.param({"lease": [1, 0.4]}, id="a lease that cannot hold"),
        pytest.param({"places": [["eth0", "2001:db8::1"]]}, id="an address of another family"),
        pytest.param({"checksum": "md5"}, id="an unknown checksum"),
    ],
)
def test_a_senseless_list_is_refused(changed: dict[str, object]) -> None:
    line = json.dumps(json.loads(dump_instances((FRONT,))) | changed)
    with pytest.raises(MalformedOrder):
        load_instances(line.encode())


@pytest.mark.parametrize("other", [{"vrid": 52}, {"name": "back"}])
def test_a_name_and_a_vrid_on_an_interface_stand_once(other: dict[str, object]) -> None:
    twin = json.loads(dump_instances((FRONT,))) | other
    text = dump_instances((FRONT,)) + json.dumps(twin).encode()
    with pytest.raises(MalformedOrder, match="twice"):
        load_instances(text)

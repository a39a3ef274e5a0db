"""The list of routers, as the reporter keeps it for the machine."""

import json
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest

from libra_vrrp.announce import Garp
from libra_vrrp.codec import Checksum
from libra_vrrp.kept import dump_instances, load_instances
from libra_vrrp.lease import Terms
from libra_vrrp.orders import Instance, MalformedOrder, Place, Seal, TrackedLink
from libra_vrrp.router import After, Always, Never, Preempt, WhenSynced
from libra_vrrp.routing import Route, Rule
from libra_vrrp.settle import Delays
from libra_vrrp.tether.ends import Ends
from libra_vrrp.vmac import Vmac

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
    tracked=(TrackedLink("eth2"), TrackedLink("eth3", -30, Delays(1.0, 5.0))),
    group="nat",
)
OLD = replace(FRONT, name="old", vrid=53, version=2, authentication=b"\xffsecret")
FAR = replace(
    FRONT,
    name="far",
    vrid=54,
    peers=(IPv4Address("192.0.2.2"), IPv4Address("192.0.2.3")),
    source=IPv4Address("192.0.2.1"),
)
SIX = replace(FRONT, name="six", places=(Place("eth0", IPv6Address("fe80::10")),))
VEILED = replace(FRONT, name="veiled", vrid=57, vmac=Vmac("vrrp4-57", xmit_base=True))
TIED = replace(
    FRONT,
    name="tied",
    vrid=56,
    tether=Ends(IPv4Address("10.0.0.2"), 9645, (("b", IPv4Address("10.0.0.3")),)),
)
MORE = replace(FRONT, name="more", vrid=55, excluded=(*SIX.places, *FRONT.places))


WAYS = replace(
    FRONT,
    name="ways",
    vrid=56,
    places=(Place("eth0", IPv4Address("192.0.2.10"), 24), Place("eth1", IPv4Address("10.1.0.1"))),
    routes=(Route(ip_network("0.0.0.0/0"), "eth0", IPv4Address("192.0.2.254"), table=100),),
    rules=(Rule(4, 100, ip_network("10.1.0.0/16"), table=100),),
)


@pytest.mark.parametrize(
    "preempt", [Never(), Always(), After(5.0), WhenSynced(60.0), WhenSynced(5.0, 2.0)]
)
def test_the_list_of_routers_survives_the_file(preempt: Preempt) -> None:
    listed = (
        replace(FRONT, preempt=preempt),
        replace(FRONT, name="back", vrid=52),
        OLD,
        FAR,
        MORE,
        TIED,
        VEILED,
    )
    assert load_instances(dump_instances(listed)) == listed


def test_routes_rules_and_prefixes_survive_the_file() -> None:
    listed = (FRONT, WAYS)
    assert load_instances(dump_instances(listed)) == listed


def test_one_vrid_serves_both_families_of_an_interface() -> None:
    assert load_instances(dump_instances((FRONT, SIX))) == (FRONT, SIX)
    assert (FRONT.family, SIX.family) == (4, 6)


def test_an_empty_list_is_a_list() -> None:
    assert load_instances(b"\n") == ()


def test_a_list_of_an_older_release_is_read() -> None:
    line = json.loads(dump_instances((FRONT,)))
    older = {k: v for k, v in line.items() if k not in {"version", "authentication"}}
    older = {k: v for k, v in older.items() if k not in {"peers", "source", "routes", "rules"}}
    older["tracked"] = ["eth2"]
    known = replace(FRONT, tracked=(TrackedLink("eth2"),))
    assert load_instances(json.dumps(older).encode()) == (known,)


def test_the_password_stays_out_of_what_is_printed() -> None:
    assert "secret" not in repr(OLD)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"vrid": "x"}, id="a word for a number"),
        pytest.param({"preempt": ["perhaps", 1]}, id="an unknown preemption"),
        pytest.param({"lease": [1, 0.4]}, id="a lease that cannot hold"),
        pytest.param({"places": []}, id="no address"),
        pytest.param(
            {"places": [["eth0", "2001:db8::1"], ["eth0", "192.0.2.1"]]}, id="two families"
        ),
        pytest.param({"checksum": "md5"}, id="an unknown checksum"),
        pytest.param({"authentication": "xyz"}, id="no password"),
        pytest.param({"peers": ["everybody"]}, id="no address of a peer"),
        pytest.param({"routes": [["10.0.0.0/8"]]}, id="no route"),
        pytest.param({"rules": [{"family": 4}]}, id="half a rule"),
        pytest.param({"places": [["eth0", "192.0.2.1", 24, 7]]}, id="more than an address"),
        pytest.param({"seal": ["/etc/libra/seal.key"]}, id="half a seal"),
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


@pytest.mark.parametrize("is_required", [True, False])
def test_a_seal_survives_the_list(*, is_required: bool) -> None:
    sealed = replace(FRONT, seal=Seal("/etc/libra/seal.key", is_required))
    assert load_instances(dump_instances((sealed,))) == (sealed,)

"""From the cluster's config to the virtual routers of one node."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from libra_schemas.config import Config, Track
from libra_schemas.events import AdminState
from libra_vrrp.announce import Garp
from libra_vrrp.codec import Checksum
from libra_vrrp.lease import Terms
from libra_vrrp.orders import Failover, Place, Release, Seal, TrackedLink
from libra_vrrp.router import After, Always, Never, Preempt, WhenSynced
from libra_vrrp.settle import Delays
from libra_vrrp.vmac import Vmac
from libra_vrrp.wanted import (
    HOLD,
    failovers,
    instances,
    instances_of,
    releases,
    secret_files,
    tracks,
)


def config(**changed: Any) -> Config:
    front = {
        "interface": "eth0",
        "vrid": 51,
        "priority": {"a": 150, "b": 100},
        "addresses": ["192.0.2.10/24", {"address": "10.1.0.1/24", "interface": "eth1"}],
        "track": {
            "services": {"web": {"weight": -30}},
            "interfaces": ["eth2", {"name": "eth3", "weight": -30, "up_for": "5s"}],
        },
    }
    return Config.model_validate(
        {
            "version": 1,
            "nodes": {"a": {"address": "10.0.0.1"}, "b": {"address": "10.0.0.2"}},
            "instances": {"front": front | changed},
        }
    )


def test_a_node_runs_the_instances_it_takes_part_in() -> None:
    (front,) = instances(config(), "b")
    assert (front.name, front.interface, front.vrid, front.priority) == ("front", "eth0", 51, 100)
    assert front.places == (
        Place("eth0", IPv4Address("192.0.2.10")),
        Place("eth1", IPv4Address("10.1.0.1")),
    )
    assert front.tracked == (TrackedLink("eth2"), TrackedLink("eth3", -30, Delays(0.0, 5.0)))
    assert instances(config(), "c") == ()


def test_an_interface_may_differ_from_node_to_node() -> None:
    named = config(interface={"a": "ens3", "b": "ens5"})
    assert instances(named, "b")[0].interface == "ens5"


def test_addresses_are_behind_the_virtual_mac_but_for_those_elsewhere() -> None:
    (front,) = instances(config(vmac=True), "a")
    assert (front.vmac, front.interface) == (Vmac("vrrp4-51"), "eth0")
    assert [place.interface for place in front.places] == ["vrrp4-51", "eth1"]


def test_each_family_has_a_virtual_mac_of_its_own() -> None:
    both = ["192.0.2.10/24", "2001:db8::10/64"]
    named = {"name": "front", "xmit_base": True}
    assert [one.vmac for one in instances(config(vmac=True, addresses=both), "a")] == [
        Vmac("vrrp4-51"),
        Vmac("vrrp6-51"),
    ]
    four, six = instances(config(vmac=named, addresses=both, excluded=["192.0.2.11/24"]), "a")
    assert (four.vmac, six.vmac) == (Vmac("front", xmit_base=True), Vmac("front-6", xmit_base=True))
    assert {place.interface for place in four.held} == {"front"}
    (alone,) = instances(config(vmac=named, addresses=both[1:]), "a")
    assert alone.vmac == Vmac("front", xmit_base=True)


SIX, SIX_TOO = IPv6Address("2001:db8::10"), IPv6Address("2001:db8::11")


def test_an_instance_of_ipv6_is_a_router_as_one_of_ipv4_is() -> None:
    (front,) = instances(config(addresses=["2001:db8::10/64"]), "a")
    assert (front.name, front.group, front.family) == ("front", "", 6)
    assert front.places == (Place("eth0", SIX),)


def test_an_instance_of_both_families_is_two_routers_in_one_group() -> None:
    elsewhere = {"address": "2001:db8::11/64", "interface": "eth1"}
    both = config(addresses=["2001:db8::10/64", "192.0.2.10/24", elsewhere])
    four, six = instances(both, "a")
    assert [four.name, six.name] == ["front", "front-ipv6"]
    assert four.group == six.group != ""
    assert (four.vrid, four.interface, four.priority) == (six.vrid, six.interface, six.priority)
    assert four.places == (Place("eth0", IPv4Address("192.0.2.10")),)
    assert six.places == (Place("eth0", SIX), Place("eth1", SIX_TOO))


def test_an_excluded_address_goes_with_the_router_of_its_family() -> None:
    excluded = ["192.0.2.11/24", {"address": "2001:db8::11/64", "interface": "eth1"}]
    four, six = Place("eth0", IPv4Address("192.0.2.11")), Place("eth1", SIX_TOO)
    both = ["192.0.2.10/24", "2001:db8::10/64"]
    assert [one.excluded for one in instances(config(addresses=both, excluded=excluded), "a")] == [
        (four,),
        (six,),
    ]
    (alone,) = instances(config(addresses=both[:1], excluded=excluded), "a")
    assert alone.excluded == (four, six)
    assert alone.held == (*alone.places, four, six)


def test_connected_addresses_keep_the_prefix_that_is_written() -> None:
    written = ["192.0.2.10/24", "192.0.2.11/32"]
    (front,) = instances(config(addresses=written, connected=True), "a")
    assert [place.prefix for place in front.places] == [24, None]
    (plain,) = instances(config(addresses=written), "a")
    assert [place.prefix for place in plain.places] == [None, None]


@pytest.mark.parametrize(
    ("written", "preempt"),
    [
        pytest.param(True, Always(), id="true"),
        pytest.param(False, Never(), id="false"),
        pytest.param("when-synced", WhenSynced(60.0), id="when-synced"),
        pytest.param("30s", After(30.0), id="a delay"),
        pytest.param(1, After(1.0), id="one second, not true"),
    ],
)
def test_preemption_is_as_written(written: Any, preempt: Preempt) -> None:
    assert instances(config(preempt=written), "a")[0].preempt == preempt


def test_the_other_parameters_are_as_written() -> None:
    written = config(
        interval="250ms",
        start_delay="5s",
        lease=3,
        checksum="rfc9568",
        garp={"repeat": 3, "delay": "1s", "refresh": "60s"},
    )
    (front,) = instances(written, "a")
    assert (front.interval, front.start_delay) == (0.25, 5.0)
    assert (front.terms, front.checksum) == (Terms(3), Checksum.RFC9568)
    assert front.garp == Garp(3, 1.0, 60.0)


def test_a_password_is_what_the_file_holds() -> None:
    old = config(version=2, interval="2s", auth_file="/etc/libra/pass")
    assert secret_files(old, "a") == ("/etc/libra/pass",)
    assert secret_files(old, "c") == ()
    (front,) = instances(old, "a", {"/etc/libra/pass": b"s3cret"})
    assert (front.version, front.authentication) == (2, b"s3cret")
    assert secret_files(config(), "a") == ()
    assert instances(config(), "a")[0].authentication is None


def test_unicast_adverts_go_to_the_other_nodes_that_take_part() -> None:
    (front,) = instances(config(unicast=True), "a")
    assert (front.source, front.peers) == (IPv4Address("10.0.0.1"), (IPv4Address("10.0.0.2"),))
    known = {"a": "192.0.2.1", "b": "192.0.2.2"}
    (front,) = instances(config(unicast=known), "b")
    assert (front.source, front.peers) == (IPv4Address("192.0.2.2"), (IPv4Address("192.0.2.1"),))
    (alone,) = instances(config(unicast=True, priority={"a": 150}), "a")
    assert (alone.source, alone.peers) == (IPv4Address("10.0.0.1"), ())
    (group,) = instances(config(), "a")
    assert (group.source, group.peers) == (None, None)


def test_each_family_speaks_to_the_peers_of_its_own() -> None:
    both = ["192.0.2.10/24", "2001:db8::10/64"]
    known = {"a": ["10.1.0.1", "2001:db8:1::1"], "b": ["2001:db8:1::2", "10.1.0.2"]}
    four, six = instances(config(addresses=both, unicast=known), "a")
    assert (four.source, four.peers) == (IPv4Address("10.1.0.1"), (IPv4Address("10.1.0.2"),))
    ends = IPv6Address("2001:db8:1::1"), (IPv6Address("2001:db8:1::2"),)
    assert (six.source, six.peers) == ends
    assert four.group == six.group


def test_a_node_tracks_what_its_own_routers_do() -> None:
    (name,), (track,) = tracks(config(), "a").keys(), tracks(config(), "a").values()
    assert (name, track.services["web"].weight) == ("front", -30)
    assert tracks(config(), "c") == {}


def test_what_one_of_a_group_tracks_weighs_on_all() -> None:
    front = config(group="nat").instances["front"]
    back = front.model_copy(update={"vrid": 52, "track": Track()})
    both = config().model_copy(update={"instances": {"front": front, "back": back}})
    assert tracks(both, "a")["back"].services["web"].weight == -30
    assert instances(both, "a")[1].tracked == (TrackedLink("eth3", -30, Delays(0.0, 5.0)),)


def test_a_group_is_as_written() -> None:
    assert instances(config(group="nat"), "a")[0].group == "nat"
    assert instances(config(), "a")[0].group == ""
    both = config(addresses=["192.0.2.10/24", "2001:db8::10/64"], group="nat")
    assert [one.group for one in instances(both, "a")] == ["nat", "nat"]


@pytest.mark.parametrize(("mode", "is_required"), [("required", True), ("accept", False)])
def test_a_seal_is_as_written(mode: str, *, is_required: bool) -> None:
    written = {"key_file": "/etc/libra/seal.key", "mode": mode}
    (one,) = instances(config(seal=written), "a")
    assert one.seal == Seal("/etc/libra/seal.key", is_required)


def test_what_is_tracked_counts_for_the_routers_of_both_families() -> None:
    both = config(addresses=["192.0.2.10/24", "2001:db8::10/64"])
    names = list(tracks(both, "a"))
    assert names == list(instances_of(both)) == ["front", "front-ipv6"]
    assert set(instances_of(both).values()) == {"front"}


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BEFORE, LATER = NOON - timedelta(seconds=5), NOON + timedelta(seconds=90)


def asked(**changed: Any) -> AdminState:
    known = {"entity": ("instance", "front"), "failover": True, "who": "eve"}
    return AdminState.model_validate(known | changed)


@pytest.mark.parametrize(
    ("admin", "since", "hold"),
    [
        pytest.param(asked(), BEFORE, HOLD, id="we were master: hold back for the usual time"),
        pytest.param(asked(until=LATER), BEFORE, 90.0, id="until the order's end"),
        pytest.param(asked(until=BEFORE), BEFORE, 0.0, id="an order that ended gives up only"),
        pytest.param(asked(node="a"), BEFORE, HOLD, id="meant for this node"),
        pytest.param(asked(node="b"), BEFORE, None, id="meant for another node"),
        pytest.param(asked(), None, None, id="we are not master"),
        pytest.param(asked(), LATER, None, id="we became master by it"),
        pytest.param(asked(failover=False), BEFORE, None, id="the order was taken back"),
        pytest.param(asked(entity=("service", "web")), BEFORE, None, id="about something else"),
        pytest.param(asked(entity=("node", "a")), BEFORE, HOLD, id="the whole node is to yield"),
        pytest.param(asked(entity=("node", "a")), None, HOLD, id="and to take nothing else up"),
        pytest.param(asked(entity=("node", "a")), LATER, None, id="what it became master of later"),
        pytest.param(asked(entity=("node", "b")), BEFORE, None, id="another node is to yield"),
        pytest.param(asked(entity=("instance", "back")), BEFORE, None, id="another instance"),
    ],
)
def test_a_failover_is_for_who_was_master_when_it_was_decided(
    admin: AdminState, since: datetime | None, hold: float | None
) -> None:
    wanted = () if hold is None else (Failover("front", hold),)
    ours = {} if since is None else {"front": since}
    assert failovers(admin, NOON, "a", {"front": "front"}, ours) == wanted


ROUTERS = {"front": "front", "front-ipv6": "front", "back": "back"}


def test_a_failover_is_of_both_families() -> None:
    ours = dict.fromkeys(ROUTERS, BEFORE)
    wanted = (Failover("front", HOLD), Failover("front-ipv6", HOLD))
    assert failovers(asked(), NOON, "a", ROUTERS, ours) == wanted


FRONT, BOTH = ("front", "front-ipv6"), tuple(ROUTERS)
OF_FRONT, OF_NODE = ("instance", "front"), ("node", "a")


@pytest.mark.parametrize(
    ("admin", "standing", "released"),
    [
        pytest.param(asked(failover=False), (), FRONT, id="what is named"),
        pytest.param(asked(failover=False, entity=OF_NODE), (), BOTH, id="all of this node"),
        pytest.param(asked(failover=False, node="b"), (), (), id="meant for another node"),
        pytest.param(asked(failover=False, entity=("node", "b")), (), (), id="another node"),
        pytest.param(asked(), (), (), id="a failover takes nothing back"),
        pytest.param(
            asked(failover=False), (asked(entity=OF_NODE),), (), id="its node is still handed over"
        ),
        pytest.param(
            asked(failover=False, entity=OF_NODE), (asked(),), ("back",), id="one stands by itself"
        ),
    ],
)
def test_who_takes_a_failover_back_ends_the_holding_back(
    admin: AdminState, standing: tuple[AdminState, ...], released: tuple[str, ...]
) -> None:
    assert releases(admin, "a", ROUTERS, standing) == tuple(Release(name) for name in released)

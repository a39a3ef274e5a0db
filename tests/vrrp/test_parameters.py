"""The parameters of a virtual router: what its order and its interface make of it."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest

from libra_vrrp.interfaces import Interfaces, fold
from libra_vrrp.orders import Instance, Place
from libra_vrrp.parameters import NOWHERE, require_sense, router_of, speechless
from libra_vrrp.rtnetlink import AddressHeld, LinkHeld

VIP = IPv4Address("192.0.2.10")
OWN = IPv4Address("192.0.2.1")
ORDER = Instance("front", "eth0", 51, 150, (Place("eth0", VIP),), interval=0.1)
VIP_6 = IPv6Address("2001:db8::10")
SIX = replace(ORDER, places=(Place("eth0", VIP_6),))
ELSEWHERE = IPv4Address("10.1.0.1")
FAR = replace(ORDER, peers=(IPv4Address("10.1.0.2"),), source=ELSEWHERE)
KNOWN = fold(
    Interfaces(),
    [
        LinkHeld(2, "eth0", up=True, mac=b"\2\0\0\0\0\1"),
        AddressHeld(2, VIP, 32, 2),
        AddressHeld(2, OWN, 24),
    ],
)


def test_it_speaks_from_the_interfaces_own_address() -> None:
    router = router_of(ORDER, (), KNOWN, {VIP})
    assert (router.address, router.addresses, router.interval) == (OWN, (VIP,), 0.1)


def test_without_the_interface_it_is_nowhere() -> None:
    assert router_of(ORDER, (), Interfaces(), {VIP}).address == NOWHERE[4]


def test_without_an_address_it_cannot_speak_and_says_why() -> None:
    nowhere = fold(Interfaces(), [LinkHeld(2, "eth0", up=True, mac=b"\2\0\0\0\0\1")])
    assert router_of(ORDER, (), nowhere, ()).address.is_unspecified
    assert speechless(ORDER, nowhere) == "interface eth0 has no IPv4 address"
    assert speechless(SIX, nowhere) == "interface eth0 has no IPv6 link-local address"
    assert speechless(SIX, Interfaces()) == "interface eth0 has no IPv6 link-local address"


def test_a_link_local_address_that_cannot_be_used_is_told_as_such() -> None:
    waiting = fold(KNOWN, [AddressHeld(2, IPv6Address("fe80::1"), 64, usable=False)])
    assert router_of(SIX, (), waiting, ()).address.is_unspecified
    assert speechless(SIX, waiting) == (
        "the link-local address of interface eth0 is under duplicate address detection, or is a "
        "duplicate"
    )


def test_link_local_addresses_are_advertised_first_and_excluded_ones_never() -> None:
    """RFC 9568 section 5.2.9; the others keep the config's order."""
    local, second = IPv6Address("fe80::10"), IPv6Address("2001:db8::2")
    places = tuple(Place("eth0", address) for address in (VIP_6, second, local))
    order = replace(SIX, places=places, excluded=(Place("eth0", IPv6Address("fe80::11")),))
    assert router_of(order, (), KNOWN, ()).addresses == (local, VIP_6, second)


def test_a_router_of_ipv6_speaks_from_the_link_local_address() -> None:
    local = IPv6Address("fe80::1")
    known = fold(KNOWN, [AddressHeld(2, local, 64), AddressHeld(2, VIP_6, 128, 2)])
    assert router_of(SIX, (), known, {VIP_6}).address == local
    assert router_of(SIX, (), KNOWN, {VIP_6}).address == NOWHERE[6]


def test_a_unicast_router_speaks_from_the_address_that_its_peers_know() -> None:
    """Wherever it is: the routing table leads to the peers."""
    known = fold(KNOWN, [AddressHeld(3, ELSEWHERE, 24)])
    router = router_of(FAR, (), known, {VIP})
    assert (router.address, router.peers) == (ELSEWHERE, FAR.peers)
    assert router_of(FAR, (), KNOWN, {VIP}).address.is_unspecified
    assert speechless(FAR, KNOWN) == "no interface has 10.1.0.1, by which the peers know this node"


def test_a_unicast_router_does_not_speak_from_an_address_that_may_be_anothers() -> None:
    ours = IPv6Address("2001:db8::1")
    far = replace(SIX, source=ours, peers=(IPv6Address("2001:db8::2"),))
    known = fold(KNOWN, [AddressHeld(2, ours, 64, usable=False)])
    assert router_of(far, (), known, {VIP_6}).address.is_unspecified
    told = "2001:db8::1 is under duplicate address detection, or is a duplicate"
    assert speechless(far, known) == told


def test_tracked_objects_move_the_priority() -> None:
    assert router_of(ORDER, (-20, -30), KNOWN, {VIP}).priority == 100


def test_a_router_of_a_group_does_not_act_alone() -> None:
    assert router_of(replace(ORDER, group="nat"), (), KNOWN, {VIP}).joint
    assert not router_of(ORDER, (), KNOWN, {VIP}).joint


def test_a_usual_list_makes_sense() -> None:
    require_sense((ORDER, replace(ORDER, vrid=52, priority=255)))


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(replace(ORDER, vrid=0), id="vrid 0"),
        pytest.param(replace(ORDER, vrid=256), id="vrid 256"),
        pytest.param(replace(ORDER, priority=300), id="priority 300"),
        pytest.param(replace(ORDER, interval=0.0), id="interval 0"),
        pytest.param(replace(ORDER, interval=99.0), id="interval 99 s"),
        pytest.param(replace(ORDER, interval=float("nan")), id="no interval"),
        pytest.param(replace(ORDER, interval=float("inf")), id="endless interval"),
        pytest.param(replace(ORDER, places=ORDER.places * 256), id="256 addresses"),
    ],
)
def test_what_cannot_be_advertised_makes_no_sense(order: Instance) -> None:
    with pytest.raises(ValueError, match="front: "):
        require_sense((order,))

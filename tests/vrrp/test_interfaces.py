"""Interfaces and addresses, folded from what the kernel says."""

from ipaddress import IPv4Address, IPv6Address

import pytest

from libra_vrrp.interfaces import Interfaces, faults, fold
from libra_vrrp.rtnetlink import AddressGone, AddressHeld, Answered, LinkGone, LinkHeld, Target

ETH0 = LinkHeld(2, "eth0", up=True, mac=b"\x02\0\0\0\0\x01")
ETH1 = LinkHeld(3, "eth1", up=False, mac=b"\x02\0\0\0\0\x02")
OWN, VIP = IPv4Address("10.9.0.2"), IPv4Address("192.0.2.10")


def known(*said: AddressHeld) -> Interfaces:
    return fold(Interfaces(), [ETH0, ETH1, *said, Answered(1, 0)])


def test_the_primary_address_is_the_first_own_one() -> None:
    second = AddressHeld(2, IPv4Address("10.9.0.3"), 24, secondary=True)
    six = AddressHeld(2, IPv6Address("2001:db8::1"), 64)
    there = AddressHeld(3, IPv4Address("10.1.0.1"), 24)
    held = known(AddressHeld(2, VIP, 32, 2), six, there, second, AddressHeld(2, OWN, 24))
    assert held.primary(2, {VIP}) == OWN


def test_a_leased_virtual_address_is_never_the_primary_one() -> None:
    assert known(AddressHeld(2, VIP, 32, 2)).primary(2, {VIP}) is None


def test_where_a_connected_address_came_first_the_hosts_own_is_a_secondary_one() -> None:
    own = AddressHeld(2, OWN, 24, secondary=True)
    assert known(AddressHeld(2, VIP, 24, 2), own).primary(2, {VIP}) == OWN


def test_an_owners_virtual_address_is_its_own() -> None:
    assert known(AddressHeld(2, VIP, 24)).primary(2, {VIP}) == VIP


def test_an_address_from_dhcp_can_be_the_primary_one() -> None:
    assert known(AddressHeld(2, OWN, 24, valid=3600)).primary(2, {VIP}) == OWN


def test_what_is_left_of_a_lease_is_the_primary_one_only_where_nothing_else_is() -> None:
    """Found by review: a virtual address of an earlier config was taken for the host's own."""
    left = AddressHeld(2, VIP, 32, valid=2)
    assert known(left, AddressHeld(2, OWN, 24)).primary(2, ()) == OWN
    assert known(left, AddressHeld(2, OWN, 24, valid=3600)).primary(2, ()) == OWN
    assert known(AddressHeld(2, OWN, 32, valid=3600)).primary(2, {VIP}) == OWN


def test_the_primary_address_is_found_without_a_look_at_all_the_others() -> None:
    """Hosts have thousands of addresses, and each router on an interface asks."""
    asked: list[IPv4Address] = []

    class Virtual(set[IPv4Address]):
        def __contains__(self, address: object) -> bool:
            assert isinstance(address, IPv4Address)
            asked.append(address)
            return super().__contains__(address)

    held = known(AddressHeld(2, OWN, 24), *(AddressHeld(2, VIP + n, 32, 2) for n in range(50)))
    assert held.primary(2, Virtual(VIP + n for n in range(50))) == OWN
    assert asked == [OWN]


LOW, HIGH = IPv6Address("fe80::1"), IPv6Address("fe80::2")
SIX = IPv6Address("2001:db8::10")


def test_the_source_for_ipv6_is_the_lowest_link_local_address() -> None:
    there = AddressHeld(3, IPv6Address("fe80::"), 64)
    others = (there, AddressHeld(2, OWN, 24), AddressHeld(2, SIX, 64))
    held = known(*others, AddressHeld(2, HIGH, 64), AddressHeld(2, LOW, 64))
    assert held.link_local(2, ()) == LOW
    assert known(*others).link_local(2, ()) is None


def test_a_virtual_link_local_address_is_a_source_only_where_it_is_the_owners() -> None:
    leased = AddressHeld(2, LOW, 128, 2)
    assert known(leased).link_local(2, {LOW}) is None
    assert known(leased, AddressHeld(2, HIGH, 64)).link_local(2, {LOW}) == HIGH
    assert known(AddressHeld(2, LOW, 64)).link_local(2, {LOW}) == LOW


def test_a_link_local_address_left_of_a_lease_is_a_source_only_where_nothing_else_is() -> None:
    left = AddressHeld(2, LOW, 128, 2)
    assert known(left, AddressHeld(2, HIGH, 64)).link_local(2, ()) == HIGH
    assert known(left).link_local(2, ()) == LOW


def test_a_link_local_address_under_duplicate_address_detection_is_awaited() -> None:
    waits = known(AddressHeld(2, LOW, 64, usable=False), AddressHeld(3, HIGH, 64))
    assert waits.link_local(2, ()) is None
    assert waits.is_awaiting_link_local(2)
    assert not waits.is_awaiting_link_local(3)


@pytest.mark.parametrize(
    ("held", "own"),
    [
        pytest.param(AddressHeld(2, SIX, 128, 2), False, id="as we lease it"),
        pytest.param(AddressHeld(2, SIX, 128), True, id="for ever"),
        pytest.param(AddressHeld(2, SIX, 64, 3600), True, id="with a prefix of its own"),
        pytest.param(AddressHeld(3, SIX, 64), True, id="on another interface"),
        pytest.param(AddressHeld(2, VIP, 24), False, id="another address"),
    ],
)
def test_an_address_is_the_hosts_own_unless_it_is_as_we_lease_it(
    held: AddressHeld, own: bool
) -> None:
    assert known(held).is_own(Target(2, SIX)) == own


def test_a_connected_address_is_ours_with_its_prefix_length_alone() -> None:
    held = known(AddressHeld(2, VIP, 24, 2))
    assert not held.is_own(Target(2, VIP, 24))
    assert held.is_own(Target(2, VIP, 25))
    assert held.is_own(Target(2, VIP))
    assert known(AddressHeld(2, VIP, 24)).is_own(Target(2, VIP, 24))


def test_a_link_local_address_is_the_hosts_own_on_its_interface_only() -> None:
    held = known(AddressHeld(3, LOW, 64))
    assert held.is_own(Target(3, LOW))
    assert not held.is_own(Target(2, LOW))


def test_holders_are_found_on_every_interface() -> None:
    here, there = AddressHeld(2, VIP, 32, 2), AddressHeld(3, VIP, 24)
    assert known(here, there).holders(VIP) == [here, there]


def test_a_removed_link_takes_its_addresses_along() -> None:
    left = fold(known(AddressHeld(2, OWN, 24), AddressHeld(3, VIP, 24)), [LinkGone(2)])
    assert left.named("eth0") is None
    assert left.holders(OWN) == []
    assert left.holders(VIP) == [AddressHeld(3, VIP, 24)]


def test_a_removed_address_is_gone_with_its_prefix_only() -> None:
    both = known(AddressHeld(2, OWN, 24), AddressHeld(2, OWN, 32))
    assert fold(both, [AddressGone(2, OWN, 32)]).holders(OWN) == [AddressHeld(2, OWN, 24)]


def test_a_router_cannot_work_without_its_interfaces() -> None:
    assert faults(known(), "eth0", ()) == frozenset()
    assert faults(known(), "eth0", ("eth1", "eth2")) == {
        "interface eth1 is down",
        "interface eth2 does not exist",
    }


def test_an_address_is_found_wherever_it_is_held_and_only_there() -> None:
    vip = IPv4Address("192.0.2.10")
    held = [AddressHeld(2, vip, 32, 2), AddressHeld(2, vip, 24), AddressHeld(3, vip, 32)]
    known = fold(Interfaces(), [*held, *held])
    assert known.holders(vip) == held
    assert known.holders(IPv4Address("192.0.2.11")) == []
    without = fold(known, [AddressGone(2, vip, 24), AddressGone(2, vip, 24)])
    assert without.holders(vip) == [held[0], held[2]]
    assert fold(without, [LinkGone(2)]).holders(vip) == [held[2]]
    assert fold(without, [LinkGone(2), AddressGone(3, vip, 32)]) == Interfaces()


def test_an_interface_is_found_by_the_name_that_it_has_now() -> None:
    old, new = LinkHeld(2, "eth0", up=True, mac=bytes(6)), LinkHeld(2, "lan", up=True, mac=bytes(6))
    renamed = fold(Interfaces(), [old, new])
    assert (renamed.named("eth0"), renamed.named("lan")) == (None, new)
    follower = LinkHeld(3, "lan", up=True, mac=bytes(6))
    swapped = fold(renamed, [follower, LinkGone(2)])
    assert swapped.named("lan") == follower
    assert fold(swapped, [LinkGone(3)]).named("lan") is None

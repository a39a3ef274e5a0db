"""Gratuitous ARP and neighbour advertisements, against frames of keepalived 2.2.7."""

from ipaddress import IPv4Address, IPv6Address

import pytest

from libra_vrrp.announce import (
    Garp,
    advance,
    begin,
    due_at,
    gratuitous_arp,
    neighbour_advertisement,
)


def test_the_frame_is_the_one_that_keepalived_sends() -> None:
    mac = bytes.fromhex("b62b22f73572")
    assert gratuitous_arp(mac, IPv4Address("192.0.2.10")) == bytes.fromhex(
        "ffffffffffff b62b22f73572 0806"
        "0001 0800 06 04 0001 b62b22f73572 c000020a ffffffffffff c000020a"
    )


ETHERNET_IPV6 = "333300000001 02000000000a 86dd 60000000 0020 3a ff"
ALL_NODES = "ff020000000000000000000000000001"


@pytest.mark.parametrize(
    ("address", "router", "message"),
    [
        pytest.param("2001:db8::10", False, "8800 f903 20000000", id="of a host"),
        pytest.param("2001:db8::10", True, "8800 7903 a0000000", id="of a router"),
        pytest.param("fe80::10", True, "8800 d773 a0000000", id="of a link-local address"),
    ],
)
def test_the_neighbour_advertisement_is_the_one_that_keepalived_sends(
    address: str, router: bool, message: str
) -> None:
    target, mac = IPv6Address(address), bytes.fromhex("02000000000a")
    packed = target.packed.hex()
    assert neighbour_advertisement(mac, target, router=router) == bytes.fromhex(
        f"{ETHERNET_IPV6} {packed} {ALL_NODES} {message} {packed} 0201 02000000000a"
    )


def test_a_new_master_announces_at_once_and_again_after_the_delay() -> None:
    schedule = begin(Garp(repeat=5, delay=5.0), 10.0)
    assert due_at(schedule) == 10.0
    schedule, count = advance(schedule, 10.0)
    assert (count, due_at(schedule)) == (5, 15.0)
    assert advance(schedule, 14.9) == (schedule, 0)
    schedule, count = advance(schedule, 15.1)
    assert (count, due_at(schedule)) == (5, None)


def test_a_late_announcer_does_not_send_both_bursts() -> None:
    assert advance(begin(Garp(repeat=5, delay=5.0), 10.0), 20.0)[1] == 5


def test_a_refresh_repeats_for_ever() -> None:
    schedule, _ = advance(begin(Garp(refresh=60.0), 0.0), 5.0)
    for now in (65.0, 125.0, 185.0):
        assert due_at(schedule) == now
        schedule, count = advance(schedule, now)
        assert count == 1

"""Gratuitous ARP, against a frame of keepalived 2.2.7."""

from ipaddress import IPv4Address

from libra_vrrp.announce import Garp, advance, begin, due_at, gratuitous_arp


def test_the_frame_is_the_one_that_keepalived_sends() -> None:
    mac = bytes.fromhex("b62b22f73572")
    assert gratuitous_arp(mac, IPv4Address("192.0.2.10")) == bytes.fromhex(
        "ffffffffffff b62b22f73572 0806"
        "0001 0800 06 04 0001 b62b22f73572 c000020a ffffffffffff c000020a"
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

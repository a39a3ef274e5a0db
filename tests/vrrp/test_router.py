"""The parameters and the timers that follow from them."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from libra_vrrp.codec import GROUP, Advertisement, Checksum, decode
from libra_vrrp.router import (
    STOPPING,
    Router,
    advertisement,
    challenges,
    datagrams,
    effective,
    patience,
    skew,
)

ROUTER = Router(
    vrid=51,
    priority=100,
    address=IPv4Address("10.9.0.2"),
    addresses=(IPv4Address("192.0.2.10"),),
    interval=0.5,
)
OLD = replace(ROUTER, version=2, interval=1.0)


def test_skew_is_the_missing_priority_in_256ths_of_the_masters_interval() -> None:
    """RFC 9568 section 6.1: ((256 - priority) * Active_Adver_Interval) / 256."""
    assert skew(ROUTER, 1.0) == 156 / 256
    assert skew(ROUTER, 0.1) == pytest.approx(15.6 / 256)


def test_a_master_is_down_after_three_intervals_and_the_skew() -> None:
    """RFC 9568 section 6.1: Active_Down_Interval."""
    assert patience(ROUTER, 1.0) == 3 + 156 / 256


def test_the_advertisement_says_the_parameters_in_centiseconds() -> None:
    assert advertisement(ROUTER) == Advertisement(51, 100, 50, ROUTER.addresses)
    assert advertisement(ROUTER, STOPPING).priority == 0


@pytest.mark.parametrize(
    ("base", "deltas", "priority"),
    [
        pytest.param(100, (), 100, id="nothing tracked"),
        pytest.param(100, (-20, -20, 5), 65, id="deltas add up"),
        pytest.param(10, (-20,), 1, id="never below 1: 0 means giving up"),
        pytest.param(250, (20,), 254, id="never 255: that is the owner"),
        pytest.param(255, (-20,), 255, id="an owner stays the owner"),
    ],
)
def test_tracking_moves_the_priority_within_bounds(
    base: int, deltas: tuple[int, ...], priority: int
) -> None:
    assert effective(base, deltas) == priority


def test_the_priority_255_owns_the_addresses() -> None:
    assert replace(ROUTER, priority=255).owns_addresses
    assert not ROUTER.owns_addresses


def test_parameters_that_no_advertisement_could_say_are_our_mistake() -> None:
    with pytest.raises(ValueError, match="priority 0"):
        replace(ROUTER, priority=0)
    with pytest.raises(ValueError, match="interval 4100"):
        replace(ROUTER, interval=41.0)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        pytest.param({"interval": 0.5}, "no whole number", id="half a second"),
        pytest.param({"interval": 256.0}, "not within", id="longer than an octet"),
        pytest.param({"address": IPv6Address("fe80::1")}, "IPv4 alone", id="IPv6"),
        pytest.param({"authentication": b""}, "1 to 8 octets", id="an empty password"),
        pytest.param({"authentication": b"too long!"}, "1 to 8 octets", id="nine octets"),
        pytest.param({"version": 3, "authentication": b"x"}, "only version 2", id="in version 3"),
    ],
)
def test_what_version_2_cannot_be_is_our_mistake(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(OLD, **changed)


def test_the_skew_of_version_2_is_a_part_of_a_second_whatever_the_interval() -> None:
    """RFC 3768 section 6.1: Skew_Time ((256 - Priority) / 256) seconds."""
    assert skew(OLD, 5.0) == 156 / 256
    assert patience(OLD, 5.0) == 15 + 156 / 256


def test_to_the_group_one_datagram_goes_out() -> None:
    (said,) = datagrams(ROUTER, 100)
    assert (said.source, said.destination, said.hops) == (ROUTER.address, GROUP[4], 255)
    assert decode(said).advertisement == advertisement(ROUTER)
    (old,) = datagrams(replace(OLD, authentication=b"s3cret"), 0)
    assert decode(old).advertisement == advertisement(OLD, STOPPING)
    assert decode(old).auth_data == b"s3cret\0\0"


def test_each_peer_has_a_datagram_with_a_checksum_of_its_own() -> None:
    peers = (IPv4Address("10.9.0.3"), IPv4Address("10.9.0.4"))
    said = datagrams(replace(ROUTER, peers=peers), 100)
    assert tuple(one.destination for one in said) == peers
    assert [decode(one).checksum for one in said] == [Checksum.PSEUDO_HEADER] * 2
    assert said[0].message != said[1].message


def test_a_challenge_goes_to_whom_adverts_go() -> None:
    (asked,) = challenges(ROUTER)
    assert (asked.source, asked.destination, asked.message) == (ROUTER.address, GROUP[4], b"")
    peers = (IPv4Address("10.9.0.3"), IPv4Address("10.9.0.4"))
    assert [one.destination for one in challenges(replace(ROUTER, peers=peers))] == [*peers]

"""The parameters and the timers that follow from them."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from libra_vrrp.codec import Advertisement
from libra_vrrp.router import STOPPING, Router, advertisement, effective, patience, skew

ROUTER = Router(
    vrid=51,
    priority=100,
    address=IPv4Address("10.9.0.2"),
    addresses=(IPv4Address("192.0.2.10"),),
    interval=0.5,
)


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
    with pytest.raises(ValueError, match="interval 41"):
        replace(ROUTER, interval=41.0)

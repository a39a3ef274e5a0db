"""What a master makes of an advertisement beyond what the whole machine's tests say (test_fsm)."""

from ipaddress import IPv4Address

import pytest

from libra_vrrp.codec import Advertisement
from libra_vrrp.mastership import advertise_now, answer
from libra_vrrp.router import Router
from libra_vrrp.states import Advertise, Alarm, Announce, Backup, Enter, Heard, Master
from libra_vrrp.why import Why

ROUTER = Router(51, 100, IPv4Address("10.9.0.2"), (IPv4Address("192.0.2.10"),))
MASTER = Master(advert_at=1.0, since=0.0)


@pytest.mark.parametrize(
    ("host", "priority", "stays"),
    [(1, 99, True), (9, 99, True), (1, 100, True), (9, 100, False), (1, 101, False)],
)
def test_priority_comes_before_the_address(host: int, priority: int, *, stays: bool) -> None:
    heard = Heard(Advertisement(51, priority, 100), IPv4Address(f"10.9.0.{host}"))
    state, effects = answer(ROUTER, MASTER, heard, 0.5)
    assert isinstance(state, Master) is stays
    assert (Announce() in effects) is stays
    assert effects[0] == Advertise(100)


def test_who_yields_says_to_whom() -> None:
    winner = IPv4Address("10.9.0.9")
    state, effects = answer(ROUTER, MASTER, Heard(Advertisement(51, 200, 10), winner), 0.5)
    assert isinstance(state, Backup)
    assert (state.master, state.interval) == (winner, 0.1)
    assert Enter(state, Why.HIGHER_PRIORITY, winner) in effects


def test_another_that_gives_up_was_a_master_and_the_neighbours_are_told_again() -> None:
    heard = Heard(Advertisement(51, 0, 100), IPv4Address("10.9.0.9"))
    state, effects = answer(ROUTER, MASTER, heard, 5.0)
    assert (state, effects) == (Master(6.0, 0.0), (Advertise(100), Announce()))
    assert not any(isinstance(one, Alarm) for one in effects)


def test_an_advert_ahead_of_its_time_moves_the_next_one() -> None:
    assert advertise_now(ROUTER, MASTER, 0.25) == (Master(1.25, 0.0), (Advertise(100),))

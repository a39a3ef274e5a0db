"""Who takes over first from a master that died."""

from ipaddress import IPv4Address

from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.tether.message import Standing
from libra_vrrp.tether.rank import Ward, orphans, rank

A, B, C, D = (IPv4Address(f"10.0.0.{n}") for n in (1, 2, 3, 4))
FRONT, BACK = b"main", b"back"


def test_the_highest_of_those_that_live_comes_first_and_a_tie_goes_to_the_higher_address() -> None:
    standings = [Standing(100, B), Standing(100, C), Standing(50, D)]
    ranks = [rank(one, [other for other in standings if other != one]) for one in standings]
    assert ranks == [1, 0, 2]


def test_who_takes_no_part_is_waited_for_by_nobody() -> None:
    assert rank(Standing(100, B), [Standing(0, C)]) == 0


@given(st.lists(st.integers(1, 255), min_size=1, max_size=8))
def test_no_two_that_know_each_other_have_one_rank(priorities: list[int]) -> None:
    standings = [Standing(p, IPv4Address(n)) for n, p in enumerate(priorities)]
    ranks = [rank(one, (other for other in standings if other is not one)) for one in standings]
    assert sorted(ranks) == list(range(len(standings)))


def test_a_death_concerns_whoever_followed_the_dead() -> None:
    own = Standing(100, B)
    lost = {FRONT: Standing(150, A), BACK: Standing(150, A)}
    living = [{FRONT: Standing(120, C)}, {FRONT: Standing(110, D), BACK: Standing(0, D)}]
    wards = {FRONT: Ward(own, A), BACK: Ward(own, A)}
    assert orphans(wards, lost, living) == {FRONT: 2, BACK: 0}


def test_who_follows_another_or_nobody_or_what_the_dead_never_spoke_of_is_no_orphan() -> None:
    own, lost = Standing(100, B), {FRONT: Standing(150, A)}
    assert orphans({FRONT: Ward(own, C)}, lost, []) == {}
    assert orphans({FRONT: Ward(own, None)}, lost, []) == {}
    assert orphans({BACK: Ward(own, A)}, lost, []) == {}


def test_who_took_no_part_was_nobodys_master() -> None:
    """A second machine on a node says 0, and its end must not hurry anybody."""
    assert orphans({FRONT: Ward(Standing(100, B), A)}, {FRONT: Standing(0, A)}, []) == {}


def test_a_master_that_is_tied_to_us_is_not_dead_whoever_said_to_be_him() -> None:
    wards, lost = {FRONT: Ward(Standing(100, B), A)}, {FRONT: Standing(150, A)}
    assert orphans(wards, lost, [{FRONT: Standing(150, A)}]) == {}
    assert orphans(wards, lost, [{FRONT: Standing(0, A)}]) == {FRONT: 0}

"""What is seen counts once it has lasted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.contribution import NOTHING, Contribution
from libra_vrrp.settle import AT_ONCE, Delays, Settled, settle

DOWN, FAULT = Contribution(-20, "down"), Contribution(None, "gone")
DELAYS = Delays(down_for=2.0, up_for=5.0)


def test_the_first_that_is_seen_counts_at_once() -> None:
    assert settle(None, DOWN, DELAYS, 0.0) == Settled(DOWN)


def test_without_delays_everything_counts_at_once() -> None:
    assert settle(Settled(NOTHING), DOWN, AT_ONCE, 9.0) == Settled(DOWN)


@pytest.mark.parametrize(
    ("before", "after", "lasts"),
    [
        pytest.param(NOTHING, DOWN, 2.0, id="worse"),
        pytest.param(DOWN, FAULT, 2.0, id="a fault is worse than a weight"),
        pytest.param(FAULT, DOWN, 5.0, id="a weight is better than a fault"),
        pytest.param(DOWN, NOTHING, 5.0, id="better"),
    ],
)
def test_a_change_counts_when_it_has_lasted(
    before: Contribution, after: Contribution, lasts: float
) -> None:
    began = settle(Settled(before), after, DELAYS, 10.0)
    assert (began.standing, began.due) == (before, 10.0 + lasts)
    early = settle(began, after, DELAYS, 9.9 + lasts)
    assert (early.standing, early.due) == (before, 10.0 + lasts)
    assert settle(early, after, DELAYS, 10.0 + lasts) == Settled(after)


def test_a_change_that_does_not_last_never_counts() -> None:
    began = settle(Settled(NOTHING), DOWN, DELAYS, 10.0)
    assert settle(began, NOTHING, DELAYS, 11.0) == Settled(NOTHING)


def test_worse_and_worse_counts_from_the_beginning_and_as_it_is_then() -> None:
    began = settle(Settled(NOTHING), DOWN, DELAYS, 10.0)
    worse = Contribution(-40, "worse")
    assert settle(settle(began, worse, DELAYS, 11.0), worse, DELAYS, 12.0) == Settled(worse)


def test_better_than_what_stands_begins_anew_after_worse() -> None:
    began = settle(Settled(DOWN), FAULT, DELAYS, 10.0)
    better = settle(began, NOTHING, DELAYS, 11.0)
    assert (better.standing, better.due) == (DOWN, 16.0)


seen = st.sampled_from([NOTHING, DOWN, FAULT])


@given(st.lists(st.tuples(st.floats(0.01, 1.9), seen)))
def test_what_flaps_faster_than_the_delays_never_counts(steps: list[tuple[float, object]]) -> None:
    now, known = 0.0, Settled(NOTHING)
    for step, _ in steps:
        known = settle(known, DOWN, DELAYS, now := now + step / 2)
        known = settle(known, NOTHING, DELAYS, now := now + step / 2)
        assert known == Settled(NOTHING)


@given(st.lists(st.tuples(st.floats(0.0, 9.0), seen), min_size=1))
def test_what_lasts_counts_in_the_end(steps: list[tuple[float, Contribution]]) -> None:
    now, known = 0.0, None
    for step, what in steps:
        known = settle(known, what, DELAYS, now := now + step)
    assert known is not None
    last = steps[-1][1]
    assert settle(known, last, DELAYS, now + 5.0).standing.rank == last.rank

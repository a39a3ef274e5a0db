"""How many equal results change a mind."""

from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.streak import Streak, observe
from libra_vrrp.watched import Judged, ProgramWatch

WATCH = ProgramWatch(("/bin/true",), 2.0, 1.0, rise=2, fall=3)
UP, DOWN = Judged(up=True), Judged(up=False, why="exit status 1")


def after(*results: Judged) -> Streak:
    known = Streak()
    for result in results:
        known = observe(known, result, WATCH)
    return known


def test_the_first_result_counts_at_once() -> None:
    assert after(UP).verdict is UP
    assert after(DOWN).verdict is DOWN


def test_three_failures_in_a_row_are_down() -> None:
    assert after(UP, DOWN, DOWN).verdict is UP
    assert after(UP, DOWN, DOWN, DOWN).verdict is DOWN


def test_two_successes_in_a_row_are_up() -> None:
    assert after(DOWN, UP).verdict is DOWN
    assert after(DOWN, UP, UP).verdict is UP


def test_a_success_between_failures_begins_the_count_anew() -> None:
    assert after(UP, DOWN, DOWN, UP, DOWN, DOWN).verdict is UP


def test_another_reason_for_the_same_is_no_news() -> None:
    other = Judged(up=False, why="exit status 2")
    assert after(DOWN, other).verdict is DOWN


@given(st.lists(st.booleans(), min_size=1))
def test_it_says_what_the_last_results_say_once_they_are_enough(results: list[bool]) -> None:
    verdict = after(*(UP if result else DOWN for result in results)).verdict
    assert verdict is not None
    if len(set(results[-3:])) == 1 and len(results) >= 3:
        assert verdict.up == results[-1]

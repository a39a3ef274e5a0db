import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.verdict.damping import (
    CALM,
    Damping,
    Flaps,
    adjusted,
    changed,
    end,
    rested,
    resumed,
)

LIMITS = Damping(changes=3, within=10.0, stable=5.0)


def after(*times: float, limits: Damping = LIMITS) -> Flaps:
    flaps = CALM
    for time in times:
        flaps = changed(flaps, limits, time)
    return flaps


@pytest.mark.parametrize(
    ("times", "held"),
    [
        pytest.param((), False, id="no change"),
        pytest.param((0, 1), False, id="fewer than the limit"),
        pytest.param((0, 1, 2), True, id="as many as the limit"),
        pytest.param((0, 5, 10), True, id="just within the time"),
        pytest.param((0, 5, 10.1), False, id="spread over more than the time"),
        pytest.param((0, 9, 11, 12), True, id="the latest ones count"),
        pytest.param((0, 1, 2, 6.9), True, id="one more puts the end off"),
        pytest.param((0, 1, 2, 7), False, id="after the end all is forgotten"),
    ],
)
def test_too_many_changes_hold_it_down(times: tuple[float, ...], held: bool) -> None:
    assert after(*times).is_held is held


def test_a_hold_ends_by_time_alone() -> None:
    flaps = after(0, 1, 2)
    assert end(flaps, LIMITS) == 7
    assert rested(flaps, LIMITS, 6.9) is flaps
    assert rested(flaps, LIMITS, 7) == CALM


def test_what_is_not_held_does_not_rest() -> None:
    flaps = after(0, 1)
    assert rested(flaps, LIMITS, 100) is flaps


def test_a_hold_of_the_log_lasts_as_if_it_had_just_begun() -> None:
    assert end(resumed(3.0), LIMITS) == 8
    assert resumed(3.0).is_held


def test_other_limits_keep_the_hold_and_none_end_it() -> None:
    flaps = after(0, 1, 2)
    assert adjusted(flaps, Damping(2, 10.0, 60.0)) == Flaps((1, 2), is_held=True)
    assert end(adjusted(flaps, Damping(2, 10.0, 60.0)), Damping(2, 10.0, 60.0)) == 62
    assert adjusted(flaps, None) == CALM


@given(
    st.lists(st.floats(0, 20), max_size=60),
    st.builds(Damping, st.integers(2, 6), st.floats(0.1, 50), st.floats(0.1, 50)),
)
def test_a_hold_begins_only_with_a_full_count_and_always_ends(
    pauses: list[float], limits: Damping
) -> None:
    flaps, now, times = CALM, 0.0, []
    for pause in pauses:
        now += pause
        was = rested(flaps, limits, now)
        flaps = changed(flaps, limits, now)
        times.append(now)
        assert len(flaps.times) <= limits.changes
        if flaps.is_held and not was.is_held:
            assert times[-1] - times[-limits.changes] <= limits.within
    if flaps.is_held:
        assert rested(flaps, limits, end(flaps, limits)) == CALM

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health import schedule

SECONDS = st.floats(min_value=0, max_value=1e6)
PERIODS = st.floats(min_value=0.01, max_value=3600)


def test_jitter_spreads_the_first_runs_over_one_period() -> None:
    assert schedule.first(100.0, 2.0, 0.0) == 100.0
    assert schedule.first(100.0, 2.0, 0.75) == 101.5


def test_a_late_run_does_not_move_the_grid() -> None:
    assert schedule.following(10.0, 1.0, now=10.4) == 11.0


def test_missed_runs_are_skipped_not_made_up_for() -> None:
    assert schedule.following(10.0, 1.0, now=13.5) == 14.0


@given(SECONDS, PERIODS, st.floats(min_value=0, max_value=1e4))
def test_the_next_run_is_soon_and_on_the_grid(due: float, every: float, late: float) -> None:
    now = due + late
    after = schedule.following(due, every, now)
    assert now - 1e-6 <= after <= now + every * (1 + 1e-6)
    periods = (after - due) / every
    assert periods == pytest.approx(round(periods), abs=1e-3)


@pytest.mark.parametrize(
    ("due", "old", "every", "expected"),
    [
        pytest.param(10.5, 1.0, 5.0, 14.5, id="longer, counted from the last run"),
        pytest.param(14.5, 5.0, 1.0, 10.5, id="shorter"),
        pytest.param(14.5, 5.0, 0.1, 10.0, id="overdue is now"),
    ],
)
def test_a_new_period_counts_from_the_last_run(
    due: float, old: float, every: float, expected: float
) -> None:
    assert schedule.retimed(due, old, every, now=10.0) == pytest.approx(expected)


def test_lag_is_never_negative() -> None:
    assert schedule.lag(10.0, 10.25) == 0.25
    assert schedule.lag(10.0, 9.0) == 0.0

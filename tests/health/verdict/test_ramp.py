import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.verdict.ramp import (
    LOWEST,
    STEPS,
    WHOLE,
    Ramp,
    adjusted,
    next_step,
    resumed,
    share,
)

RAMP = Ramp(100.0, 30.0)


@pytest.mark.parametrize(
    ("now", "percent"),
    [(99.0, 10), (100.0, 10), (102.9, 10), (103.0, 19), (115.0, 55), (129.9, 91), (130.0, 100)],
)
def test_a_share_grows_from_a_tenth_to_the_whole(now: float, percent: int) -> None:
    assert share(RAMP, now) == percent


@given(st.floats(0, 1e7), st.floats(1, 86400))
def test_each_step_grows_and_ten_of_them_are_all(began: float, span: float) -> None:
    ramp, now, shares = Ramp(began, span), began, []
    for _ in range(STEPS):
        shares.append(share(ramp, now))
        now = next_step(ramp, now)
    assert shares == sorted(set(shares))
    assert (shares[0], share(ramp, now)) == (LOWEST, WHOLE)
    assert now == pytest.approx(began + span)


@given(st.integers(0, STEPS), st.floats(1, 86400), st.floats(0, 1e7))
def test_it_goes_on_from_the_share_it_had(step: int, span: float, now: float) -> None:
    percent = LOWEST + (WHOLE - LOWEST) * step // STEPS
    assert share(resumed(percent, span, now), now) == percent


def test_another_span_keeps_the_share() -> None:
    slower = adjusted(RAMP, 300.0, 115.0)
    assert slower is not None
    assert (share(slower, 115.0), slower.span) == (55, 300.0)
    assert adjusted(RAMP, 30.0, 115.0) is RAMP
    assert adjusted(RAMP, 0.0, 115.0) is None
    assert adjusted(None, 30.0, 115.0) is None

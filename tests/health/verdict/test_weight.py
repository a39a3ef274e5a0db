import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.verdict.weight import HEAVIEST, recalled, scaled
from libra_health.verdict.weight import given as summed

WEIGHTS, PERCENT = st.integers(0, HEAVIEST), st.integers(10, 100)


@pytest.mark.parametrize(
    ("contributions", "weight"),
    [
        pytest.param((), None, id="no check"),
        pytest.param((None, None), None, id="none says anything"),
        pytest.param((None, 7), 7, id="one says"),
        pytest.param((30, 7), 37, id="they add up"),
        pytest.param((30, -40), 0, id="not below 0"),
        pytest.param((60000, 60000), HEAVIEST, id="not above the heaviest"),
        pytest.param((0,), 0, id="nothing is a weight too"),
    ],
)
def test_contributions_add_up(contributions: tuple[int | None, ...], weight: int | None) -> None:
    assert summed(contributions) == weight


@given(WEIGHTS, PERCENT)
def test_of_a_weight_something_is_left_and_never_more_than_it_was(
    weight: int, percent: int
) -> None:
    assert min(weight, 1) <= scaled(weight, percent) <= weight
    assert scaled(weight, 100) == weight


@given(WEIGHTS, PERCENT, WEIGHTS)
def test_what_the_log_says_is_found_again(weight: int, percent: int, configured: int) -> None:
    said = scaled(weight, percent)
    found = recalled(said, percent, configured)
    assert scaled(configured if found is None else found, percent) == said


def test_the_configured_weight_is_known_again_and_a_whole_one_is_a_checks() -> None:
    assert recalled(scaled(3, 19), 19, 3) is None
    assert recalled(3, None, 3) == 3

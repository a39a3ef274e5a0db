import pytest

from libra_health.verdict.debounce import Standing
from libra_health.verdict.policy import joined

UP, DOWN, UNKNOWN = Standing.UP, Standing.DOWN, Standing.UNKNOWN


@pytest.mark.parametrize(
    ("found", "all_pass", "any_passes"),
    [
        pytest.param((), UP, UP, id="without a check it is up"),
        pytest.param((UP,), UP, UP, id="one that passes"),
        pytest.param((DOWN,), DOWN, DOWN, id="one that fails"),
        pytest.param((UNKNOWN,), UNKNOWN, UNKNOWN, id="one that has not decided"),
        pytest.param((UP, DOWN), DOWN, UP, id="they disagree"),
        pytest.param((UP, UNKNOWN), UNKNOWN, UP, id="one passes, one is not known yet"),
        pytest.param((DOWN, UNKNOWN), DOWN, UNKNOWN, id="one fails, one is not known yet"),
        pytest.param((DOWN, UP, UNKNOWN), DOWN, UP, id="one of each"),
        pytest.param((DOWN, DOWN), DOWN, DOWN, id="both fail"),
    ],
)
def test_a_single_check_that_decides_is_enough(
    found: tuple[Standing, ...], all_pass: Standing, any_passes: Standing
) -> None:
    assert joined(found, any_passes=False) is all_pass
    assert joined(found, any_passes=True) is any_passes


@pytest.mark.parametrize(
    ("found", "all_pass", "any_passes"),
    [
        pytest.param((), UP, UP, id="without a check it is up"),
        pytest.param((UNKNOWN,), UNKNOWN, UNKNOWN, id="one that has not decided"),
        pytest.param((UP, UNKNOWN), UNKNOWN, UP, id="one passes, one is not known yet"),
        pytest.param((DOWN, UNKNOWN), DOWN, DOWN, id="one fails, one is not known yet"),
        pytest.param((DOWN, UP, UNKNOWN), DOWN, UP, id="one of each"),
    ],
)
def test_what_is_not_known_keeps_no_verdict_alive(
    found: tuple[Standing, ...], all_pass: Standing, any_passes: Standing
) -> None:
    assert joined(found, any_passes=False, is_said=True) is all_pass
    assert joined(found, any_passes=True, is_said=True) is any_passes

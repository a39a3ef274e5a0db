"""What tracked objects add to a priority."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.contribution import NOTHING, Contribution, of_number, of_state

WHY = "program gw: exit status 1"


@pytest.mark.parametrize(
    ("weight", "up", "contribution"),
    [
        pytest.param(None, True, NOTHING, id="without a weight, up"),
        pytest.param(None, False, Contribution(None, WHY), id="without a weight, down: a fault"),
        pytest.param(-20, True, NOTHING, id="below 0, up"),
        pytest.param(-20, False, Contribution(-20, WHY), id="below 0 counts while it is down"),
        pytest.param(20, True, Contribution(20, WHY), id="above 0 counts while it is up"),
        pytest.param(20, False, NOTHING, id="above 0, down"),
    ],
)
def test_what_is_up_or_down_is_weighed(
    weight: int | None, up: bool, contribution: Contribution
) -> None:
    assert of_state(weight, up=up, why=WHY) == contribution


@pytest.mark.parametrize(
    ("weight", "number", "contribution"),
    [
        pytest.param(None, 0, NOTHING, id="0 is nothing"),
        pytest.param(None, -1, Contribution(None, WHY), id="any other without a weight: a fault"),
        pytest.param(2, -30, Contribution(-60, WHY), id="times the weight"),
        pytest.param(-1, 10, Contribution(-10, WHY), id="turned round"),
        pytest.param(2, 999_999_999, Contribution(254, WHY), id="no more than a priority has"),
        pytest.param(254, -5, Contribution(-254, WHY), id="and no less"),
    ],
)
def test_a_number_is_weighed(weight: int | None, number: int, contribution: Contribution) -> None:
    assert of_number(weight, number, WHY) == contribution


@given(st.integers(-254, 254).filter(bool), st.integers())
def test_no_number_moves_a_priority_by_more_than_there_is(weight: int, number: int) -> None:
    delta = of_number(weight, number, WHY).delta
    assert delta is not None
    assert abs(delta) <= 254


def test_a_fault_is_worse_than_any_delta() -> None:
    assert Contribution(None).rank < Contribution(-254).rank < NOTHING.rank

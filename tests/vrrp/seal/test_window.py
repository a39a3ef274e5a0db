"""The replay window, against a set that remembers everything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.seal.window import SIZE, Arrival, Window, arrive


@given(st.lists(st.integers(0, 200) | st.integers(2**64 - 200, 2**64 - 1), max_size=200))
def test_a_counter_is_new_once_and_only_above_all_others(counters: list[int]) -> None:
    window, heard = Window(), set[int]()
    for counter in counters:
        window, arrival = arrive(window, counter)
        highest = max(heard, default=-1)
        if counter > highest:
            assert arrival is Arrival.NEW
        elif counter in heard or highest - counter >= SIZE:
            assert arrival is Arrival.REPEATED
        else:
            assert arrival is Arrival.LATE
        heard.add(counter)
        assert window.seen < 1 << SIZE


@pytest.mark.parametrize(
    ("before", "counter", "arrival"),
    [
        pytest.param((0,), 0, Arrival.REPEATED, id="the very first again"),
        pytest.param((0, 1), 0, Arrival.REPEATED, id="one before again"),
        pytest.param((0, 2), 1, Arrival.LATE, id="overtaken"),
        pytest.param((0, 63), 0, Arrival.REPEATED, id="at the edge, heard"),
        pytest.param((63,), 0, Arrival.LATE, id="at the edge, not heard"),
        pytest.param((64,), 0, Arrival.REPEATED, id="beyond the edge, whatever it was"),
        pytest.param((0, 2**63), 2**63, Arrival.REPEATED, id="after a leap"),
    ],
)
def test_the_edges(before: tuple[int, ...], counter: int, arrival: Arrival) -> None:
    window = Window()
    for one in before:
        window, _ = arrive(window, one)
    assert arrive(window, counter)[1] is arrival

"""Lateness falls into buckets."""

from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.lateness import BOUNDS, bucket_of, cumulated


@given(st.floats(min_value=0, max_value=10))
def test_a_bucket_holds_what_is_not_later_than_its_bound(seconds: float) -> None:
    bucket = bucket_of(seconds)
    assert bucket == len(BOUNDS) or seconds <= BOUNDS[bucket]
    assert bucket == 0 or seconds > BOUNDS[bucket - 1]


def test_what_is_shown_of_a_bound_counts_everything_below_it() -> None:
    counts = [0] * (len(BOUNDS) + 1)
    for seconds in (0.0001, 0.0005, 0.003, 60.0):
        counts[bucket_of(seconds)] += 1
    shown = dict(cumulated(counts))
    assert (shown["0.0005"], shown["0.0025"], shown["0.005"]) == (2.0, 2.0, 3.0)
    assert (shown["2.5"], shown["+Inf"]) == (3.0, 4.0)

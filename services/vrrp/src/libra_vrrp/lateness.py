"""How late advertisements went out, counted into buckets.

One rule: a count is of one bucket; who shows them adds them up, as Prometheus wants it.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds in seconds; one more bucket is for what is later than all of them."""


def bucket_of(seconds: float) -> int:
    """Return the bucket that lateness falls into; what is as late as a bound is within it."""
    return bisect_left(BOUNDS, seconds)


def cumulated(counts: Sequence[int]) -> Iterator[tuple[str, float]]:
    """Yield every bound and how many advertisements were not later; `counts` has all buckets."""
    bounds = (*map(str, BOUNDS), "+Inf")
    return zip(bounds, map(float, accumulate(counts)), strict=True)

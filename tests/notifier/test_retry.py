"""Back-off."""

from hypothesis import given
from hypothesis import strategies as st

from libra_notifier.retry import delay, is_exhausted
from libra_schemas.config.notify import Retry

RETRY = Retry(attempts=3, first=1.0, longest=10.0)


def test_waits_double_up_to_the_longest() -> None:
    assert [delay(RETRY, n, 1.0) for n in (1, 2, 3, 4, 5, 6)] == [1, 2, 4, 8, 10, 10]


def test_jitter_takes_at_most_half_of_the_wait() -> None:
    assert delay(RETRY, 3, 0.0) == 2.0
    assert delay(RETRY, 3, 0.5) == 3.0


def test_what_the_receiver_asks_for_is_honoured_within_bounds() -> None:
    assert delay(RETRY, 1, 1.0, after=7.0) == 7.0
    assert delay(RETRY, 1, 1.0, after=86400.0) == 10.0


@given(st.integers(1, 1000), st.floats(0, 1), st.floats(0, 1e9))
def test_no_wait_is_longer_than_the_longest(attempts: int, jitter: float, after: float) -> None:
    assert 0 < delay(RETRY, attempts, jitter, after) <= RETRY.longest


def test_the_last_attempt_is_the_last() -> None:
    assert [is_exhausted(RETRY, n) for n in (1, 2, 3)] == [False, False, True]

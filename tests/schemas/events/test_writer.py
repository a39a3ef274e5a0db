import pytest
from pydantic import ValidationError

from libra_schemas.events.writer import FreshState, TableRecord, TableRefusal


def test_a_listing_may_be_of_nothing() -> None:
    assert TableRecord(service="web", why="start", digest="0" * 64).table is None


def test_a_refusal_says_what_was_asked_and_the_kernels_answer() -> None:
    refusal = TableRefusal(service="web", operation={"op": "add"}, errno=22, error="EINVAL")
    assert (refusal.errno, refusal.attempt, refusal.retry_ms) == (22, 1, None)


def test_coverage_is_a_share() -> None:
    with pytest.raises(ValidationError):
        FreshState(own=1, peer=1, coverage=1.5)

import pytest
from pydantic import ValidationError

from libra_schemas.events.common import Causes, Data


def test_data_without_causes_says_so() -> None:
    assert Data().causes == Causes(ids=(), count=0)


def test_at_most_100_causes_are_named_and_all_are_counted() -> None:
    assert Causes(ids=("x",) * 100, count=517).count == 517
    with pytest.raises(ValidationError, match="at most 100"):
        Causes(ids=("x",) * 101, count=101)

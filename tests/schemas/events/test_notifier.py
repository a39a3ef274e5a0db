import pytest
from pydantic import ValidationError

from libra_schemas.events.notifier import Receipt

FIELDS = {"sink": "ops", "kind": "webhook", "delivered": True, "events": ["1"], "key": "k"}


def test_a_receipt_names_the_events_it_is_for() -> None:
    assert Receipt.model_validate(FIELDS | {"attempts": 2}).events == ("1",)


def test_nothing_is_delivered_without_an_attempt() -> None:
    with pytest.raises(ValidationError):
        Receipt.model_validate(FIELDS | {"attempts": 0})

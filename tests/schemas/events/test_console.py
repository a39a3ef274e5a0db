from datetime import datetime

import pytest
from pydantic import ValidationError

from libra_schemas.events.console import AdminState, ConfigApplied


def test_an_admin_state_is_ready_unless_somebody_says_otherwise() -> None:
    state = AdminState(entity=("service", "web"), who="me")
    assert (state.mode, state.weight, state.failover, state.node) == ("ready", None, False, None)


def test_an_end_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        AdminState(
            entity=("service", "web"),
            who="me",
            until=datetime(2026, 1, 1),  # noqa: DTZ001 - that it is naive is the point
        )


def test_a_config_keeps_what_was_written_null_included() -> None:
    document = {"version": 1, "sync": None}
    applied = ConfigApplied(number=1, hash="0" * 64, document=document, author="me")
    raw = applied.model_dump_json(exclude_none=True)
    assert ConfigApplied.model_validate_json(raw).document == document

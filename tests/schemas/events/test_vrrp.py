import pytest
from pydantic import ValidationError

from libra_schemas.events.vrrp import InstanceState

FIELDS = {
    "instance": "front", "state": "master", "why": "timer", "vrid": 51, "interface": "eth0",
    "priority": 150, "interval_ms": 100,
}  # fmt: skip


def test_a_state_says_why_and_how_long_it_took() -> None:
    state = InstanceState.model_validate(FIELDS | {"took_ms": 312.5, "previous": "backup"})
    assert (state.why, state.took_ms, state.previous) == ("timer", 312.5, "backup")


@pytest.mark.parametrize("wrong", [{"why": "mood"}, {"vrid": 0}, {"priority": 256}, {"state": "x"}])
def test_what_no_virtual_router_can_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        InstanceState.model_validate(FIELDS | wrong)

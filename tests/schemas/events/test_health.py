import pytest
from pydantic import ValidationError

from libra_schemas.events.health import BackendState, Evidence, Vote

FIELDS = {
    "service": "web", "backend": "w1", "address": "2001:db8::11", "port": 80, "protocol": "tcp",
    "target": "0" * 64, "up": False,
}  # fmt: skip


def test_a_verdict_carries_its_evidence() -> None:
    evidence = Evidence(probe="p", reason="refused", attempt=3, needed=3, votes=(Vote(node="b"),))
    state = BackendState.model_validate(FIELDS | {"evidence": [evidence.model_dump()]})
    assert state.evidence == (evidence,)
    assert state.evidence[0].votes[0].up is None


def test_a_verdict_of_an_older_release_is_read() -> None:
    state = BackendState.model_validate(FIELDS | {"evidence": [{"probe": "p", "reason": "x"}]})
    assert (state.weight, state.ramp, state.evidence[0].weight) == (None, None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"target": "x"},
        {"ramp": 101},
        {"port": 70000},
        {"weight": -1},
        {"service": "a.b"},
        {"address": "w1"},
    ],
)
def test_a_verdict_that_no_kernel_could_use_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BackendState.model_validate(FIELDS | wrong)

"""When time matters to a state."""

import pytest

from libra_vrrp.states import (
    Backup,
    Fault,
    Initialize,
    Master,
    Starting,
    State,
    Stopped,
    deadline,
)


@pytest.mark.parametrize(
    ("state", "at"),
    [
        pytest.param(Starting(until=5.0), 5.0, id="the start-up delay ends"),
        pytest.param(Backup(down_at=6.0, interval=1.0, since=0.0), 6.0, id="the master is down"),
        pytest.param(Master(advert_at=7.0, since=0.0), 7.0, id="the next advertisement"),
        pytest.param(Initialize(), None, id="not started"),
        pytest.param(Fault(frozenset({"eth0"}), until=9.0, since=0.0), None, id="in fault"),
        pytest.param(Stopped(), None, id="stopped"),
    ],
)
def test_a_deadline_is_what_the_state_waits_for(state: State, at: float | None) -> None:
    assert deadline(state) == at

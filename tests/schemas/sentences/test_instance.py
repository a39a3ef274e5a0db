"""What is said of a virtual router."""

from typing import get_args

import pytest

from libra_schemas.events import InstanceState
from libra_schemas.events.vrrp import Why
from libra_schemas.sentences.instance import instance, reason


def test_a_change_says_state_before_time_and_why() -> None:
    data = InstanceState.model_validate(
        {
            "instance": "front", "state": "master", "previous": "backup", "why": "timer",
            "vrid": 5, "interface": "eth0", "priority": 100, "interval_ms": 1000, "took_ms": 1.26,
        }
    )  # fmt: skip
    told = "virtual router front on eth0 is master (was backup, took 1.3 ms): no master is heard"
    assert instance(data) == told
    known = data.model_copy(update={"coverage": 0.93})
    here = "93.0% of the peer's connections are here"
    assert instance(known) == told.replace("1.3 ms", f"1.3 ms, {here}")
    preempts = known.model_copy(update={"why": "preempt", "detail": here})
    assert instance(preempts).count(here) == 1


@pytest.mark.parametrize("why", get_args(Why))
def test_every_reason_is_told_in_words(why: str) -> None:
    assert " " in reason(why, "")
    assert reason(why, "so") == f"{reason(why, '')}: so"


def test_the_reason_of_a_newer_release_stands_as_it_is() -> None:
    assert reason("later", "") == "later"

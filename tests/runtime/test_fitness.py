"""Which server may hold the log: one whose JetStream is off is away, not unfit for good."""

import json
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from libra_runtime.fitness import require_durable
from libra_runtime.journal import JournalUnavailable, OldServer


@pytest.mark.parametrize(
    ("jetstream", "said"),
    [
        pytest.param({"config": {"sync_always": True}}, nullcontext(), id="durable"),
        pytest.param(
            {"config": {"sync_interval": 120}},
            pytest.raises(OldServer, match="set sync_interval: always"),
            id="late",
        ),
        pytest.param(
            {}, pytest.raises(JournalUnavailable, match="JetStream is off, as a full"), id="off"
        ),
    ],
)
def test_a_server_is_judged_by_its_jetstream(
    jetstream: dict[str, Any], said: AbstractContextManager[object]
) -> None:
    with said:
        require_durable(json.dumps({"data": {"jetstream": jetstream}}).encode())

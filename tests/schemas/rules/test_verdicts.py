from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

W1, W2 = {"address": "10.0.1.11:80", "weight": 100}, {"address": "10.0.1.12:80", "weight": 100}
POOL = {"w1": W1, "w2": W2}
TWO = ["tcp", "icmp"]
SLOWLY = {"tcp": {}, "every": "10s"}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        pytest.param(
            {"require": "any"},
            "require: means nothing with one check (list several under check, or leave it out)",
            id="a choice of one",
        ),
        pytest.param(
            {"backends": {"w1": W1 | {"require": "any"}}},
            "backends.w1.require: means nothing with one check"
            " (list several under check, or leave it out)",
            id="a choice of one for a backend",
        ),
        pytest.param(
            {"damping": {}, "check": SLOWLY},
            "damping: no backend is held down: 5 changes take at least 100s with these checks"
            " (write within: 200s)",
            id="more changes than can be",
        ),
        pytest.param(
            {"damping": {"changes": 2, "within": "10s"}, "check": SLOWLY},
            "damping: no backend is held down: 2 changes take at least 20s with these checks"
            " (write within: 40s)",
            id="an odd number of turns",
        ),
        pytest.param(
            {"max_down": 2},
            "max_down: guards nothing: health may take out all of 2 (write less, or leave it out)",
            id="a guard of all",
        ),
        pytest.param(
            {"max_down": "100%"},
            "max_down: guards nothing: health may take out all of 2 (write less, or leave it out)",
            id="a guard of the whole share",
        ),
        pytest.param(
            {"slow_start": "30s", "scheduler": "rr"},
            "slow_start: scheduler rr looks at no weight (use wrr or wlc)",
            id="no scheduler for weights",
        ),
        pytest.param(
            {"scheduler": "lc", "backends": {"w1": W1 | {"slow_start": "30s"}}},
            "backends.w1.slow_start: scheduler lc looks at no weight (use wrr or wlc)",
            id="no scheduler for a backend's weights",
        ),
        pytest.param(
            {"slow_start": "30s", "backends": {"w1": W1, "w2": "10.0.1.12:80"}},
            "backends.w2: slow_start has no step below weight 1"
            " (write larger weights, such as weight: 100 for each)",
            id="no weight to begin below",
        ),
    ],
)
def test_what_could_never_act_is_told(
    document: Document, complaints: Complain, changes: dict[str, Any], complaint: str
) -> None:
    document["services"]["web"] |= {"backends": POOL} | changes
    assert complaints(document) == [f"services.web.{complaint}"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"require": "any", "check": TWO}, id="a choice of two"),
        pytest.param(
            {"require": "any", "backends": {"w1": W1 | {"check": TWO}, "w2": W2}},
            id="a choice for one of the backends",
        ),
        pytest.param({"backends": {"w1": W1 | {"check": TWO, "require": "any"}}}, id="its own"),
        pytest.param({"damping": {}}, id="damping"),
        pytest.param({"damping": {}, "assume_up": True}, id="damping of what nothing checks"),
        pytest.param({"max_down": 1}, id="a guard"),
        pytest.param({"vantage": "any"}, id="votes"),
        pytest.param({"max_down": "50%", "backends": {}}, id="a guard of no pool yet"),
        pytest.param({"slow_start": "30s"}, id="slow start"),
        pytest.param(
            {
                "slow_start": "30s",
                "check": {"file": {"path": "/run/weight", "weight": True}},
                "backends": {"w1": "10.0.1.11:80"},
            },
            id="slow start of what a check weighs",
        ),
        pytest.param(
            {"slow_start": "30s", "backends": {"w1": {"address": "10.0.1.1:80", "slow_start": 0}}},
            id="slow start but for one",
        ),
    ],
)
def test_what_can_act_is_taken(
    document: Document, complaints: Complain, changes: dict[str, Any]
) -> None:
    document["services"]["web"] |= {"backends": POOL} | changes
    assert complaints(document) == []


@pytest.mark.parametrize("vantage", ["majority", {"mode": "any", "unreachable": "up"}])
def test_votes_take_more_nodes_than_one(
    document: Document, complaints: Complain, vantage: Any
) -> None:
    document["services"]["web"]["vantage"] = vantage
    assert complaints(document) == []
    del document["nodes"]["b"]
    del document["instances"]["front"]["priority"]["b"]
    mode = vantage if isinstance(vantage, str) else vantage["mode"]
    assert complaints(document) == [
        (
            f"services.web.vantage: {mode} means nothing with one node"
            " (list the other directors under nodes, or leave it out)"
        )
    ]
    document["services"]["web"]["vantage"] = "local"
    assert complaints(document) == []

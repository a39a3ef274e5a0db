"""What people read of a backend."""

from typing import Any

import pytest

from libra_schemas.events import BackendState, Evidence
from libra_schemas.sentences.backend import backend, reason


def state(*, up: bool, **more: Any) -> BackendState:
    plain = {"service": "web", "backend": "w1", "address": "10.0.1.11", "port": 80}
    return BackendState.model_validate(
        {**plain, "target": "0" * 64, "protocol": "tcp", "up": up, **more}
    )


def evidence(label: str, attempt: int = 3, detail: str = "") -> Evidence:
    return Evidence(probe="tcp", reason=label, detail=detail, attempt=attempt, needed=3)


VOTES = Evidence(probe="vantage", reason="voted", detail="2 of 3 nodes see it down, 1 up")
SENTENCES: list[tuple[str, BackendState, str]] = [
    (
        "backend.down",
        state(up=False, evidence=(evidence("refused"),)),
        "backend w1 of web is down: connection refused (3 of 3)",
    ),
    (
        "backend.down",
        state(up=False, evidence=(evidence("status", detail="status 503, wanted 200-299"),)),
        "backend w1 of web is down: status 503, wanted 200-299 (3 of 3)",
    ),
    (
        "backend.down",
        state(up=False, evidence=(evidence("refused", detail="ECONNREFUSED"),)),
        "backend w1 of web is down: connection refused (3 of 3)",
    ),
    (
        "backend.down",
        state(up=False, evidence=(evidence("passed"), evidence("content", detail="no 'ok'"))),
        "backend w1 of web is down: unexpected content: no 'ok' (3 of 3)",
    ),
    (
        "backend.up",
        state(up=True, evidence=(evidence("passed"), evidence("passed", attempt=2))),
        "backend w1 of web is up: tcp: check passed (3 of 3); tcp: check passed (2 of 3)",
    ),
    (
        "backend.up",
        state(up=True, evidence=(evidence("passed"),)),
        "backend w1 of web is up: check passed (3 of 3)",
    ),
    ("backend.up", state(up=True), "backend w1 of web is up"),
    (
        "backend.weight",
        state(up=True, weight=7),
        "backend w1 of web has weight 7",
    ),
    (
        "backend.weight",
        state(up=True, weight=7, ramp=55),
        "backend w1 of web has weight 7 (slow start, 55 % of its own)",
    ),
    (
        "backend.weight",
        state(up=True, evidence=(Evidence(probe="exec", reason="passed", weight=40),)),
        "backend w1 of web has its configured weight: check passed, gives weight 40",
    ),
    (
        "backend.down",
        state(
            up=False,
            evidence=(
                evidence("passed"),
                Evidence(probe="damping", reason="damped", detail="5 changes in 1m, until 12:00"),
            ),
        ),
        "backend w1 of web is down: held down: 5 changes in 1m, until 12:00",
    ),
    (
        "backend.held",
        state(
            up=True,
            held=True,
            evidence=(
                evidence("timeout"),
                evidence("passed"),
                Evidence(
                    probe="max_down",
                    reason="withheld",
                    detail="health may take out 2 of the pool in 5m",
                ),
            ),
        ),
        (
            "backend w1 of web is kept although its checks fail: tcp: no answer in time (3 of 3); "
            "max_down: health may take out 2 of the pool in 5m"
        ),
    ),
    (
        "backend.held",
        state(up=True, held=True, evidence=(evidence("timeout"),)),
        "backend w1 of web is kept although its checks fail: no answer in time (3 of 3)",
    ),
    (
        "backend.down",
        state(up=False, seen=True, evidence=(evidence("passed"), VOTES)),
        "backend w1 of web is down: 2 of 3 nodes see it down, 1 up",
    ),
    (
        "backend.seen",
        state(up=True, seen=False, evidence=(evidence("refused"), VOTES)),
        (
            "backend w1 of web is up, this node sees it down: tcp: connection refused (3 of 3); "
            "vantage: 2 of 3 nodes see it down, 1 up"
        ),
    ),
    (
        "backend.seen",
        state(up=True),
        "backend w1 of web is judged without the votes of other nodes",
    ),
]


@pytest.mark.parametrize(
    ("kind", "data", "words"), SENTENCES, ids=[row[2][:60] for row in SENTENCES]
)
def test_a_backend_is_one_sentence(kind: str, data: BackendState, words: str) -> None:
    assert backend(data, kind) == words


def test_a_reason_without_a_count_is_stated_alone() -> None:
    assert reason(Evidence(probe="tcp", reason="odd")) == "odd"

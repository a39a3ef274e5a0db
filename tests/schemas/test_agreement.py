from typing import Any

import pytest

from libra_schemas.agreement import contradiction
from libra_schemas.events import (
    AdminState,
    FreshState,
    InstanceState,
    PeerState,
    Receipt,
    ServiceState,
    Started,
)

FAULT = InstanceState(
    instance="front", state="fault", why="track", vrid=1, interface="e", priority=1, interval_ms=1
)
DOWN = ServiceState(
    service="web", up=False, live_weight=0, quorum=1, hysteresis=0, eligible=0, backends=2
)
RECEIPT: dict[str, Any] = {"sink": "ops", "kind": "email", "events": ("1",), "key": "k"}


def test_data_that_says_what_its_subject_says_is_fine() -> None:
    assert contradiction("vrrp.fault", ("front",), FAULT) == ""


def test_data_of_another_entity_contradicts_the_key() -> None:
    assert contradiction("vrrp.fault", ("back",), FAULT) == "data of front on the key back"


def test_data_of_another_state_contradicts_the_type() -> None:
    expected = "data that does not say master in vrrp.master"
    assert contradiction("vrrp.master", ("front",), FAULT) == expected


@pytest.mark.parametrize(
    ("event_type", "key", "data", "agrees"),
    [
        ("service.up", ("web",), DOWN, False),
        ("service.down", ("web",), DOWN, True),
        ("notify.sent", ("ops",), Receipt(delivered=True, attempts=1, **RECEIPT), True),
        ("notify.failed", ("ops",), Receipt(delivered=True, attempts=1, **RECEIPT), False),
        ("peer.lost", ("b",), PeerState(node="b", reachable=False), True),
        ("peer.back", ("b",), PeerState(node="b", reachable=False), False),
        ("operator.drain", ("node", "a"), AdminState(entity=("node", "a"), who="me"), False),
        ("operator.failover", ("node", "a"), AdminState(entity=("node", "a"), who="me"), True),
        ("node.started", ("vrrp",), Started(service="health", version="1", pid=1), False),
        ("conn.fresh", ("all",), FreshState(own=1, peer=2, coverage=0.5), True),
    ],
)
def test_each_kind_of_data_is_held_to_its_word(
    event_type: str, key: tuple[str, ...], data: Any, agrees: bool
) -> None:
    assert (contradiction(event_type, key, data) == "") is agrees

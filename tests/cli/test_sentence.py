"""Every kind of event in one sentence."""

from datetime import UTC, datetime
from typing import Any

import pytest

from libra_cli.sentence import sentence
from libra_schemas.envelope import NEW_CHAIN, Event, Unrecognised
from libra_schemas.events import MODELS
from libra_schemas.operations import AddDestination, DeleteDestination, to_json
from libra_schemas.table import Destination, ServiceKey

WEB = ServiceKey.of("tcp", "192.0.2.10", 80)
HEAD: dict[str, Any] = {
    "id": "x",
    "source": "/lvs/a/x",
    "subject": "x",
    "time": datetime(2026, 1, 2, tzinfo=UTC),
    "dataschema": "urn:libra:schema:x.y:9",
    "epoch": 1,
    "chainseq": "1",
    "chainprev": NEW_CHAIN,
}
BACKEND = {
    "service": "web", "backend": "w1", "address": "10.0.1.11", "port": 80, "protocol": "tcp",
    "target": "0" * 64, "up": False,
    "evidence": [{"probe": "tcp", "reason": "refused", "attempt": 3, "needed": 3}],
}  # fmt: skip
INSTANCE = {
    "instance": "front", "state": "backup", "previous": "master", "why": "higher-priority",
    "vrid": 5, "interface": "eth0", "priority": 100, "interval_ms": 100, "master": "10.0.0.3",
    "took_ms": 1.25,
}  # fmt: skip
SERVICE = {
    "service": "web", "up": False, "live_weight": 0, "quorum": 1, "hysteresis": 0,
    "eligible": 0, "backends": 2, "sorry": True,
}  # fmt: skip
CHANGE = {
    "service": "web", "key": {}, "digest": "0" * 64, "present": True, "cause_to_kernel_ms": 2.5,
    "operations": [
        {"operation": to_json(AddDestination(WEB, Destination("10.0.1.12", 80)))},
        {"operation": to_json(DeleteDestination(WEB, "10.0.1.11", 80)), "why": "w1 is down"},
    ],
}  # fmt: skip
REFUSAL = {"service": "web", "operation": {"op": "explode"}, "errno": 2, "error": "No such file"}
ADMIN = {"entity": ["service", "web"], "mode": "drain", "who": "me", "why": "upgrade"}


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("backend.down", BACKEND, "10.0.1.11:80 is down: tcp refused 3/3"),
        ("backend.held", BACKEND | {"held": True, "weight": 1}, "is held, weight 1"),
        ("service.down", SERVICE, "down, the sorry server answers: weight 0 of quorum 1"),
        ("service.up", SERVICE | {"up": True, "sorry": False}, "up: weight 0"),
        (
            "vrrp.backup",
            INSTANCE,
            "master -> backup (higher-priority) at priority 100, master is 10.0.0.3, took 1.2 ms",
        ),
        ("vrrp.alarm", {"instance": "front", "kind": "checksum"}, "checksum from a peer, 1 times"),
        ("conn.sync", {"role": "both", "interface": "eth1"}, "connection sync is both on eth1"),
        ("conn.fresh", {"own": 9, "peer": 10, "coverage": 0.9}, "90% of the peer's 10"),
        (
            "table.changed",
            CHANGE,
            "add 10.0.1.12:80 weight 1; delete 10.0.1.11:80 (w1 is down); 2.5 ms after its cause",
        ),
        (
            "table.recorded",
            {"service": "web", "why": "start", "table": None, "digest": "0" * 64},
            "the kernel holds no such service (start)",
        ),
        (
            "table.drift",
            {"service": "web", "ours": True, "differences": ["x"], "repaired": False},
            "the kernel differed: x; left alone",
        ),
        ("table.refused", REFUSAL, "the kernel refused explode: No such file"),
        (
            "config.applied",
            {"number": 3, "hash": "0" * 64, "document": {}, "author": "me", "comment": "hm"},
            "revision 3 by me: hm",
        ),
        (
            "config.rejected",
            {
                "number": 3,
                "hash": "0" * 64,
                "author": "me",
                "problems": [{"path": "x", "message": "no interface eth9"}],
            },
            "revision 3 by me rejected: no interface eth9",
        ),
        ("operator.drain", ADMIN, "drain by me: upgrade"),
        ("operator.weight", ADMIN | {"mode": "ready", "weight": 4}, "ready, weight 4 by me"),
        (
            "notify.failed",
            {
                "sink": "ops",
                "kind": "webhook",
                "delivered": False,
                "events": ["x"],
                "key": "k",
                "attempts": 20,
                "detail": "500",
            },
            "webhook given up after 20 tries: 500",
        ),
        ("peer.lost", {"node": "b", "reachable": False, "detail": "cut"}, "lost: cut"),
        ("node.started", {"service": "health", "version": "1", "pid": 7}, "as process 7"),
        ("node.stopped", {"service": "health", "why": "asked"}, "health stopped: asked"),
        (
            "node.recovered",
            {"service": "health", "last": 9, "sent_again": 2, "coalesced": 1},
            "health recovered (start) at sequence 9, 2 sent again, 1 coalesced",
        ),
        (
            "log.checkpoint",
            {"first": 1, "last": 9, "heads": [], "tables": {}},
            "sequences 1 to 9, 0 chains",
        ),
    ],
)
def test_an_event_is_said(kind: str, data: dict[str, Any], said: str) -> None:
    model = MODELS[kind].model_validate(data)
    assert said in sentence(Event.model_construct(**HEAD, type=kind, data=model))


def test_an_event_of_a_newer_release_is_named() -> None:
    stranger = Unrecognised.model_construct(**HEAD, type="x.y", data={})
    assert sentence(stranger) == "urn:libra:schema:x.y:9 is not known to this release"

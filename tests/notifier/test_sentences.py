"""What people read."""

from ipaddress import ip_address
from typing import Any

import pytest

from libra_notifier.sentences import reason, sentence
from libra_schemas.events import (
    MODELS,
    AdminState,
    Alarm,
    BackendState,
    Checkpoint,
    ConfigApplied,
    ConfigRejected,
    EventData,
    Evidence,
    FreshState,
    InstanceState,
    PeerState,
    Receipt,
    Recovered,
    ServiceState,
    Started,
    Stopped,
    SyncState,
    TableChange,
    TableDrift,
    TableRecord,
    TableRefusal,
)
from libra_schemas.events.console import ProblemData
from libra_schemas.events.writer import OperationResult
from libra_schemas.subjects import Subject

HASH = "0" * 64

ROUTER = {"instance": "front", "vrid": 51, "interface": "eth0", "priority": 150, "interval_ms": 100}

SERVICE = {"service": "web", "quorum": 2, "hysteresis": 0, "backends": 3}


def backend(*, up: bool, **more: Any) -> BackendState:
    plain = {"service": "web", "backend": "w1", "address": "10.0.1.11", "port": 80, "target": HASH}
    return BackendState.model_validate({**plain, "protocol": "tcp", "up": up, **more})


def evidence(label: str, attempt: int = 3, detail: str = "") -> Evidence:
    return Evidence(probe="tcp", reason=label, detail=detail, attempt=attempt, needed=3)


SENTENCES: list[tuple[str, tuple[str, ...], EventData, str]] = [
    (
        "backend.down",
        ("web", "w1"),
        backend(up=False, evidence=(evidence("refused"),)),
        "backend w1 of web is down: connection refused (3 of 3)",
    ),
    (
        "backend.down",
        ("web", "w1"),
        backend(up=False, evidence=(evidence("status", detail="status 503, wanted 200-299"),)),
        "backend w1 of web is down: status 503, wanted 200-299 (3 of 3)",
    ),
    (
        "backend.down",
        ("web", "w1"),
        backend(up=False, evidence=(evidence("refused", detail="ECONNREFUSED"),)),
        "backend w1 of web is down: connection refused (3 of 3)",
    ),
    (
        "backend.down",
        ("web", "w1"),
        backend(up=False, evidence=(evidence("passed"), evidence("content", detail="no 'ok'"))),
        "backend w1 of web is down: unexpected content: no 'ok' (3 of 3)",
    ),
    (
        "backend.up",
        ("web", "w1"),
        backend(up=True, evidence=(evidence("passed"), evidence("passed", attempt=2))),
        "backend w1 of web is up: tcp: check passed (3 of 3); tcp: check passed (2 of 3)",
    ),
    (
        "backend.up",
        ("web", "w1"),
        backend(up=True, evidence=(evidence("passed"),)),
        "backend w1 of web is up: check passed (3 of 3)",
    ),
    ("backend.up", ("web", "w1"), backend(up=True), "backend w1 of web is up"),
    (
        "backend.weight",
        ("web", "w1"),
        backend(up=True, weight=7),
        "backend w1 of web has weight 7",
    ),
    (
        "backend.held",
        ("web", "w1"),
        backend(up=True, held=True, evidence=(evidence("timeout"),)),
        "backend w1 of web is kept although its checks fail: no answer in time (3 of 3)",
    ),
    (
        "service.down",
        ("web",),
        ServiceState(**SERVICE, up=False, live_weight=0, eligible=0, sorry=True),
        "service web is down: live weight 0, quorum 2, 0 of 3 backends eligible, sorry server in",
    ),
    (
        "service.up",
        ("web",),
        ServiceState(**SERVICE, up=True, live_weight=3, eligible=3),
        "service web is up: live weight 3, quorum 2, 3 of 3 backends eligible",
    ),
    (
        "vrrp.master",
        ("front",),
        InstanceState(**ROUTER, state="master", previous="backup", why="timer"),
        "virtual router front on eth0 is master (was backup): the master fell silent",
    ),
    (
        "vrrp.fault",
        ("front",),
        InstanceState(**ROUTER, state="fault", why="interface", detail="eth0 is down"),
        "virtual router front on eth0 is fault: its interface changed: eth0 is down",
    ),
    (
        "vrrp.alarm",
        ("front",),
        Alarm(instance="front", kind="replay", peer=ip_address("10.0.0.3"), count=4),
        "virtual router front: replay from 10.0.0.3, 4 times",
    ),
    (
        "vrrp.alarm",
        ("front",),
        Alarm(instance="front", kind="checksum"),
        "virtual router front: checksum",
    ),
    (
        "operator.drain",
        ("backend", "web", "w1"),
        AdminState(entity=("backend", "web", "w1"), mode="drain", who="eve", why="new kernel"),
        "eve set backend web w1 to drain: new kernel",
    ),
    (
        "operator.failover",
        ("node", "a"),
        AdminState(entity=("node", "a"), weight=3, failover=True, who="eve", node="a", until=None),
        "eve set node a to ready, weight 3, failover on a",
    ),
    (
        "config.applied",
        ("cluster",),
        ConfigApplied(number=7, hash=HASH, document={}, author="eve"),
        "config 7 of eve is in force",
    ),
    (
        "config.rejected",
        ("cluster",),
        ConfigRejected(
            number=7,
            hash=HASH,
            author="eve",
            problems=(ProblemData(path="x", message="no such interface"),),
        ),
        "config 7 of eve is rejected: no such interface",
    ),
    ("peer.lost", ("b",), PeerState(node="b", reachable=False), "peer b is lost"),
    ("peer.back", ("b",), PeerState(node="b", reachable=True), "peer b is back"),
    (
        "node.started",
        ("health",),
        Started(service="health", version="0.1.0", pid=7),
        "health 0.1.0 started (process 7)",
    ),
    (
        "node.stopped",
        ("health",),
        Stopped(service="health", why="SIGTERM"),
        "health stopped: SIGTERM",
    ),
    (
        "node.recovered",
        ("health",),
        Recovered(service="health", coalesced=2),
        "health recovered (start), 2 events coalesced",
    ),
    (
        "conn.sync",
        ("all",),
        SyncState(role="both", interface="eth1"),
        "connection sync is both: eth1",
    ),
    (
        "conn.fresh",
        ("all",),
        FreshState(own=9, peer=10, coverage=0.9),
        "90% of the peer's connections are held here",
    ),
    (
        "table.changed",
        ("web",),
        TableChange(
            service="web",
            key={},
            operations=(OperationResult(operation={}),),
            digest=HASH,
            present=True,
        ),
        "the kernel took 1 change of web",
    ),
    (
        "table.recorded",
        ("web",),
        TableRecord(service="web", why="adopted", table=None, digest=HASH),
        "the kernel's table of web is recorded (adopted)",
    ),
    (
        "table.drift",
        ("web",),
        TableDrift(service="web", ours=True, differences=("w1 is missing",), repaired=True),
        "the kernel's table of web was changed by another hand, repaired: w1 is missing",
    ),
    (
        "table.drift",
        ("web",),
        TableDrift(service="web", ours=False, differences=(), repaired=False),
        "the kernel's table of web was changed by another hand, left alone",
    ),
    (
        "table.refused",
        ("web",),
        TableRefusal(service="web", operation={}, errno=2, error="No such file or directory"),
        "the kernel refused a change of web: No such file or directory (2)",
    ),
    (
        "notify.sent",
        ("ops",),
        Receipt(sink="ops", kind="webhook", delivered=True, events=("x",), key="k", attempts=1),
        "notify.sent ops",
    ),
    (
        "log.checkpoint",
        ("all",),
        Checkpoint(first=1, last=2, heads=(), tables={}),
        "log.checkpoint all",
    ),
]


@pytest.mark.parametrize(
    ("kind", "key", "data", "words"), SENTENCES, ids=[row[3][:50] for row in SENTENCES]
)
def test_an_event_is_one_sentence(
    kind: str, key: tuple[str, ...], data: EventData, words: str
) -> None:
    assert sentence(data, Subject("a", kind, key)) == words


def test_every_kind_of_data_has_its_sentence() -> None:
    assert {type(row[2]) for row in SENTENCES} == set(MODELS.values())


def test_a_reason_without_a_count_is_stated_alone() -> None:
    assert reason(Evidence(probe="tcp", reason="odd")) == "odd"


def test_an_act_with_an_end_says_when() -> None:
    state = AdminState.model_validate(
        {
            "entity": ("service", "web"),
            "mode": "maint",
            "who": "eve",
            "until": "2026-11-22T04:00:00Z",
        }
    )
    subject = Subject("a", "operator.maint", ("service", "web"))
    assert (
        sentence(state, subject) == "eve set service web to maint until 2026-11-22T04:00:00+00:00"
    )

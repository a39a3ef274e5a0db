"""What people read."""

from ipaddress import ip_address
from typing import Any

import pytest

from libra_schemas.envelope import NEW_CHAIN, Event, Unrecognised
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
    MasterHeard,
    MovedBy,
    PeerState,
    PriorityState,
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
from libra_schemas.sentences.event import said, sentence
from libra_schemas.subjects import Subject

HASH = "0" * 64

ROUTER = {"instance": "front", "vrid": 51, "interface": "eth0", "priority": 150, "interval_ms": 100}

SERVICE = {"service": "web", "quorum": 2, "hysteresis": 0, "backends": 3}


def backend(*, up: bool, **more: Any) -> BackendState:
    plain = {"service": "web", "backend": "w1", "address": "10.0.1.11", "port": 80, "target": HASH}
    return BackendState.model_validate({**plain, "protocol": "tcp", "up": up, **more})


def evidence(label: str, attempt: int = 3, detail: str = "") -> Evidence:
    return Evidence(probe="tcp", reason=label, detail=detail, attempt=attempt, needed=3)


SENTENCES: list[tuple[str, EventData, str]] = [
    (
        "backend.down",
        backend(up=False, evidence=(evidence("refused"),)),
        "backend w1 of web is down: connection refused (3 of 3)",
    ),
    (
        "service.down",
        ServiceState(**SERVICE, up=False, live_weight=0, eligible=0, sorry=True),
        "service web is down: live weight 0, quorum 2, 0 of 3 backends eligible, sorry server in",
    ),
    (
        "service.up",
        ServiceState(**SERVICE, up=True, live_weight=3, eligible=3),
        "service web is up: live weight 3, quorum 2, 3 of 3 backends eligible",
    ),
    (
        "vrrp.master",
        InstanceState(**ROUTER, state="master", previous="backup", why="timer", took_ms=1.26),
        "virtual router front on eth0 is master (was backup, took 1.3 ms): no master is heard",
    ),
    (
        "vrrp.master",
        InstanceState(**ROUTER, state="master", previous="backup", why="preempt"),
        "virtual router front on eth0 is master (was backup): its priority is above the master's",
    ),
    (
        "vrrp.fault",
        InstanceState(**ROUTER, state="fault", why="interface", detail="eth0 is down"),
        "virtual router front on eth0 is fault: it cannot work here: eth0 is down",
    ),
    (
        "vrrp.alarm",
        Alarm(instance="front", kind="replay", peer=ip_address("10.0.0.3"), count=4),
        "virtual router front: replay from 10.0.0.3, 4 times",
    ),
    (
        "vrrp.alarm",
        Alarm(instance="front", kind="seal", detail="no key"),
        "virtual router front: seal: no key",
    ),
    (
        "vrrp.alarm",
        Alarm(instance="front", kind="checksum"),
        "virtual router front: checksum",
    ),
    (
        "operator.drain",
        AdminState(entity=("backend", "web", "w1"), mode="drain", who="eve", why="new kernel"),
        "eve set backend web w1 to drain: new kernel",
    ),
    (
        "vrrp.priority",
        PriorityState(
            instance="front",
            priority=90,
            configured=150,
            moved=(
                MovedBy(object="program.gw", delta=-40, why="program gw: exit status 1"),
                MovedBy(object="service.web", delta=-20, why="service web is down"),
            ),
        ),
        (
            "virtual router front has priority 90 instead of 150: "
            "-40 (program gw: exit status 1), -20 (service web is down)"
        ),
    ),
    (
        "vrrp.follows",
        MasterHeard(instance="front", master=ip_address("192.0.2.1")),
        "virtual router front follows 192.0.2.1",
    ),
    (
        "vrrp.priority",
        PriorityState(instance="front", priority=150, configured=150),
        "virtual router front has priority 150, as configured",
    ),
    (
        "operator.failover",
        AdminState(entity=("node", "a"), failover=True, who="eve", node="a", until=None),
        "eve has node a handed over on a, its master held back",
    ),
    (
        "operator.weight",
        AdminState(entity=("backend", "web", "w1"), weight=3, who="eve", node="a"),
        "eve set backend web w1 to ready, weight 3 on a",
    ),
    (
        "config.applied",
        ConfigApplied(number=7, hash=HASH, document={}, author="eve"),
        "config 7 of eve is in force",
    ),
    (
        "config.rejected",
        ConfigRejected(
            number=7,
            hash=HASH,
            author="eve",
            problems=(
                ProblemData(path="instances.front", message="no such interface"),
                ProblemData(path="", message="no nodes"),
            ),
        ),
        "config 7 of eve is rejected: instances.front: no such interface; no nodes",
    ),
    (
        "config.rejected",
        ConfigRejected(number=0, hash=HASH, author="eve", problems=()),
        "a config of eve is rejected",
    ),
    ("peer.lost", PeerState(node="b", reachable=False), "peer b is lost"),
    ("peer.back", PeerState(node="b", reachable=True), "peer b is back"),
    (
        "node.started",
        Started(service="health", version="0.1.0", pid=7),
        "health 0.1.0 started (process 7)",
    ),
    (
        "node.stopped",
        Stopped(service="health", why="SIGTERM"),
        "health stopped: SIGTERM",
    ),
    (
        "node.recovered",
        Recovered(service="health", sent_again=1, coalesced=2),
        "health recovered (start), 1 event sent again, 2 events coalesced",
    ),
    (
        "conn.sync",
        SyncState(role="both", interface="eth1"),
        "connection sync is both on eth1",
    ),
    (
        "conn.fresh",
        FreshState(own=9, peer=10, coverage=0.9),
        "90% of the peer's 10 connections are held here",
    ),
    (
        "table.changed",
        TableChange(
            service="web",
            key={},
            operations=(OperationResult(operation={}),),
            digest=HASH,
            present=True,
        ),
        "the kernel took 1 change of web: an operation",
    ),
    (
        "table.recorded",
        TableRecord(service="web", why="adopted", table=None, digest=HASH),
        "the kernel holds nothing of web (adopted)",
    ),
    (
        "table.drift",
        TableDrift(service="web", ours=True, differences=("w1 is missing",), repaired=True),
        "the kernel's table of web was changed by another hand, repaired: w1 is missing",
    ),
    (
        "table.drift",
        TableDrift(service="web", ours=False, differences=(), repaired=False),
        "the kernel's table of web was changed by another hand, left alone",
    ),
    (
        "table.refused",
        TableRefusal(service="web", operation={}, errno=2, error="No such file or directory"),
        "the kernel refused a change of web (an operation): No such file or directory",
    ),
    (
        "notify.sent",
        Receipt(
            sink="ops",
            kind="webhook",
            delivered=True,
            events=("x",),
            about="backend.down web/w1",
            key="k",
            attempts=1,
        ),
        "ops was told of backend.down web/w1 by webhook in 1 attempt",
    ),
    (
        "notify.failed",
        Receipt(
            sink="ops",
            kind="email",
            delivered=False,
            events=("x",),
            key="k",
            attempts=20,
            detail="550 no such mailbox",
        ),
        "ops was not told, given up by email in 20 attempts: 550 no such mailbox",
    ),
    (
        "log.checkpoint",
        Checkpoint(first=1, last=2, heads=(), tables={}),
        "checkpoint of sequences 1 to 2, 0 chains",
    ),
]


@pytest.mark.parametrize(
    ("kind", "data", "words"), SENTENCES, ids=[row[2][:50] for row in SENTENCES]
)
def test_an_event_is_one_sentence(kind: str, data: EventData, words: str) -> None:
    assert said(data, kind) == words


def test_every_kind_of_data_has_its_sentence() -> None:
    assert {type(row[1]) for row in SENTENCES} == set(MODELS.values())


def test_an_act_with_an_end_says_when() -> None:
    state = AdminState.model_validate(
        {
            "entity": ("service", "web"),
            "mode": "maint",
            "who": "eve",
            "until": "2026-11-22T04:00:00Z",
        }
    )
    expected = "eve set service web to maint until 2026-11-22T04:00:00+00:00"
    assert said(state, "operator.maint") == expected


def test_an_event_of_a_newer_release_is_named() -> None:
    subject = Subject("a", "backend.moved", ("web", "w1"))
    head: dict[str, Any] = {"id": "x", "chainprev": NEW_CHAIN, "type": "backend.moved"}
    stranger = Unrecognised.model_construct(**head, data={})
    assert sentence(stranger, subject) == "backend.moved web/w1 is not known to this release"
    down = SENTENCES[0]
    event = Event.model_construct(**head, data=down[1])
    assert sentence(event, subject) == down[2]

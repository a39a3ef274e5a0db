"""The status document: registers joined with the config in force."""

from datetime import UTC, datetime
from typing import Any

import pytest

from libra_console.status import status
from libra_console.waiting import SILENT
from libra_schemas.canonical import digest
from libra_schemas.config import Config
from libra_schemas.envelope import NEW_CHAIN, Event
from libra_schemas.events import (
    AdminState,
    BackendState,
    ConfigApplied,
    ConfigRejected,
    EventData,
    Evidence,
    InstanceState,
    MasterHeard,
    MovedBy,
    PriorityState,
    ServiceState,
    Started,
    Stopped,
    SyncState,
)
from libra_schemas.events.vrrp import Takeover
from libra_schemas.intent.fold import Entry
from libra_schemas.subjects import Subject
from libra_schemas.target import target_of

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DOCUMENT: dict[str, Any] = {
    "version": 1,
    "nodes": {"a": {"address": "10.0.0.2"}, "b": {"address": "10.0.0.3"}},
    "instances": {
        "front": {"interface": "eth0", "vrid": 5, "addresses": ["192.0.2.1/24"]},
        "elsewhere": {
            "interface": "eth0",
            "vrid": 6,
            "priority": {"b": 100},
            "addresses": ["192.0.2.2/24"],
        },
    },
    "services": {
        "web": {
            "address": "192.0.2.1:80",
            "backends": {"w1": {"address": "10.0.0.5:80", "weight": 3}, "w2": "10.0.0.6:80"},
        },
        "mark": {"fwmark": 7, "assume_up": True, "backends": {"m": "10.0.0.7"}},
    },
}
CONFIG = Config.model_validate(DOCUMENT)


def registers(*events: tuple[str, tuple[str, ...], EventData]) -> dict[tuple[str, ...], Entry]:
    held: dict[tuple[str, ...], Entry] = {}
    for sequence, (kind, key, what) in enumerate(events, 1):
        event = Event(
            id="x",
            source="/lvs/a/x",
            type=kind,
            subject="/".join(key),
            time=NOW,
            dataschema="x",
            epoch=4,
            chainseq="1",
            chainprev=NEW_CHAIN,
            data=what,
        )
        subject = Subject("a", kind, key)
        held[subject.register] = Entry(sequence, subject, event)
    return held


def verdict(up: bool, **more: Any) -> tuple[str, tuple[str, ...], EventData]:
    web = CONFIG.services["web"]
    fields = {
        "service": "web",
        "backend": "w1",
        "address": "10.0.0.5",
        "port": 80,
        "protocol": "tcp",
        "target": target_of(web, web.backends["w1"]),
        "up": up,
    }
    state = BackendState.model_validate(fields | more)
    return "backend.up" if up else "backend.down", ("web", "w1"), state


def backend(*events: tuple[str, tuple[str, ...], EventData]) -> Any:
    return status("a", registers(*events), CONFIG)["services"]["web"]["backends"]["w1"]


def test_an_empty_node_says_so() -> None:
    document = status("a", {}, None)
    assert document["node"] == "a"
    assert document["sequence"] == 0
    assert document["config"]["revision"] is None
    assert document["services"] == {}


def test_without_events_everything_configured_is_unknown() -> None:
    document = status("a", {}, CONFIG)
    unknown = {"state": "unknown", "why": "vrrp has not run on this node yet", "admin": None}
    assert document["instances"] == {"front": unknown}
    web = document["services"]["web"]
    assert (web["state"], web["address"], web["live_weight"]) == ("unknown", "192.0.2.1:80", None)
    assert web["backends"]["w2"]["verdict"] == "unknown"
    assert document["services"]["mark"]["address"] == "fwmark 7"
    assert document["services"]["mark"]["backends"]["m"]["verdict"] == "assumed up"


def test_a_verdict_is_shown_with_its_reason() -> None:
    evidence = (Evidence(probe="tcp", reason="refused", detail="no listener"),)
    shown = backend(verdict(up=False, evidence=evidence))
    assert (shown["verdict"], shown["reason"]) == ("down", "connection refused: no listener")
    assert shown["since"] == NOW.isoformat()
    assert backend(verdict(up=True))["verdict"] == "up"
    assert backend(verdict(up=False, held=True))["verdict"] == "held"


def test_what_health_does_with_a_backend_is_shown() -> None:
    damping = Evidence(probe="damping", reason="damped", detail="5 changes in 1m, until 12:00")
    shown = backend(verdict(up=False, evidence=(damping,)))
    assert shown["reason"] == "held down: 5 changes in 1m, until 12:00"
    slow = backend(verdict(up=True, weight=2, ramp=55))
    assert (slow["weight"], slow["ramp"]) == (2, 55)
    assert backend()["ramp"] is None


def started(service: str) -> tuple[str, tuple[str, ...], EventData]:
    return "node.started", (service,), Started(service=service, version="1", pid=7)


def test_what_is_unknown_says_why() -> None:
    services = ("health", "ipvs-writer", "vrrp")
    held = registers(*map(started, services))
    document = status("a", held, CONFIG)
    web = document["services"]["web"]
    assert (web["why"], web["backends"]["w1"]["reason"]) == (
        "ipvs-writer has not judged it yet",
        "not checked yet",
    )
    assert document["services"]["mark"]["backends"]["m"]["reason"] == "it has no check"
    assert document["instances"]["front"]["why"] == "vrrp has not taken it up yet"
    troubles = {"health": "it does not answer", "vrrp": None, "ipvs-writer": "no IPVS"}
    document = status("a", held, CONFIG, troubles)
    web = document["services"]["web"]
    assert (web["why"], web["backends"]["w1"]["reason"]) == (
        "ipvs-writer: no IPVS",
        "health: it does not answer",
    )
    assert {name: each["trouble"] for name, each in document["processes"].items()} == troubles


def test_a_verdict_on_another_target_does_not_count() -> None:
    shown = backend(verdict(up=True, target="0" * 64), started("health"))
    assert (shown["verdict"], shown["since"]) == ("unknown", None)
    assert shown["reason"] == "not checked yet"


def test_the_weight_is_the_operators_then_the_checks_then_the_configs() -> None:
    key = ("backend", "web", "w1")
    set_to_9 = ("operator.weight", key, AdminState(entity=key, weight=9, who="me"))
    assert backend()["weight"] == 3
    assert backend(verdict(up=True, weight=2))["weight"] == 2
    assert backend(verdict(up=True, weight=2), set_to_9)["weight"] == 9


def test_a_drained_service_drains_its_backends() -> None:
    key = ("service", "web")
    shown = backend(("operator.drain", key, AdminState(entity=key, mode="drain", who="me")))
    assert (shown["weight"], shown["mode"], shown["admin"]) == (0, "drain", None)


def test_what_an_operator_set_for_the_whole_node_is_shown() -> None:
    handed = AdminState(entity=("node", "a"), failover=True, who="me")
    other = AdminState(entity=("node", "b"), mode="drain", who="me")
    document = status(
        "a",
        registers(
            ("operator.failover", ("node", "a"), handed), ("operator.drain", ("node", "b"), other)
        ),
        CONFIG,
    )
    assert (document["admin"]["failover"], document["admin"]["mode"]) == (True, "ready")
    assert status("a", {}, CONFIG)["admin"] is None


def test_an_admin_state_taken_back_is_not_shown() -> None:
    key = ("backend", "web", "w1")
    drain = ("operator.drain", key, AdminState(entity=key, mode="drain", who="me"))
    assert backend(drain)["admin"]["who"] == "me"
    assert (
        backend(drain, ("operator.ready", key, AdminState(entity=key, who="me")))["admin"] is None
    )


def test_services_and_instances_show_their_newest_state() -> None:
    document = status(
        "a",
        registers(
            (
                "service.down",
                ("web",),
                ServiceState(
                    service="web", up=False, live_weight=0, quorum=1, hysteresis=0, eligible=0,
                    backends=2, sorry=True, why="no backend is up",
                ),
            ),
            (
                "vrrp.backup",
                ("front",),
                InstanceState(
                    instance="front", state="backup", why="start", vrid=5, interface="eth0",
                    priority=100, interval_ms=1000, master="10.0.0.3",
                ),
            ),
            ("conn.sync", ("all",), SyncState(role="both", interface="eth0")),
        ),
        CONFIG,
    )  # fmt: skip
    web = document["services"]["web"]
    assert (web["state"], web["sorry"], web["why"]) == ("down", True, "no backend is up")
    assert document["instances"]["front"]["state"] == "backup"
    assert document["instances"]["front"]["master"] == "10.0.0.3"
    assert document["instances"]["front"]["takeover"] is None
    assert document["sync"]["all"]["role"] == "both"


@pytest.mark.parametrize(("trouble", "state"), [(SILENT, "unknown"), (None, "master")])
def test_the_state_of_an_instance_is_not_known_while_vrrp_does_not_answer(
    trouble: str | None, state: str
) -> None:
    said = InstanceState(
        instance="front", state="master", why="timer", vrid=5, interface="eth0",
        priority=100, interval_ms=1000,
    )  # fmt: skip
    held = registers(("vrrp.master", ("front",), said))
    front = status("a", held, CONFIG, {"vrrp": trouble})["instances"]["front"]
    assert front["state"] == state
    assert trouble is None or front["why"] == "it was master; vrrp does not answer"


def test_the_last_takeover_is_shown_whatever_came_after() -> None:
    took = Takeover(time=NOW, took_ms=12.5, why="timer")
    said = InstanceState(
        instance="front", state="backup", why="higher-priority", vrid=5, interface="eth0",
        priority=100, interval_ms=1000, took_ms=3.25, takeover=took,
    )  # fmt: skip
    front = status("a", registers(("vrrp.backup", ("front",), said)), CONFIG)["instances"]["front"]
    assert front["took_ms"] == 3.25
    assert front["takeover"] == {"time": NOW.isoformat(), "took_ms": 12.5, "why": "timer"}


def test_an_instance_of_both_families_is_shown_as_its_two_routers() -> None:
    front = DOCUMENT["instances"]["front"] | {"addresses": ["192.0.2.1/24", "2001:db8::1/64"]}
    both = Config.model_validate(DOCUMENT | {"instances": {"front": front}})
    six = InstanceState(
        instance="front-ipv6", state="backup", why="start", family="ipv6", vrid=5, interface="eth0",
        priority=100, interval_ms=1000, master="fe80::3",
    )  # fmt: skip
    key = ("instance", "front")
    held = registers(
        ("vrrp.backup", ("front-ipv6",), six),
        ("operator.failover", key, AdminState(entity=key, who="me", failover=True)),
    )
    shown = status("a", held, both)["instances"]
    assert list(shown) == ["front", "front-ipv6"]
    assert shown["front"]["state"] == "unknown"
    assert (shown["front-ipv6"]["family"], shown["front-ipv6"]["master"]) == ("ipv6", "fe80::3")
    assert shown["front"]["admin"] is not None
    assert shown["front-ipv6"]["admin"] == shown["front"]["admin"]


def test_the_priority_of_an_instance_is_as_it_was_said_last() -> None:
    state = InstanceState(
        instance="front", state="master", why="timer", vrid=5, interface="eth0",
        priority=100, interval_ms=1000,
    )  # fmt: skip
    fails = MovedBy(object="program.gw", delta=-40, why="program gw: exit status 1")
    moved = PriorityState(instance="front", priority=60, configured=100, moved=(fails,))
    entered = ("vrrp.master", ("front",), state)
    changed = ("vrrp.priority", ("front",), moved)
    front = status("a", registers(entered, changed), CONFIG)["instances"]["front"]
    assert (front["priority"], front["moved"]) == (60, "-40 (program gw: exit status 1)")
    front = status("a", registers(changed, entered), CONFIG)["instances"]["front"]
    assert (front["priority"], front["moved"]) == (100, "")


@pytest.mark.parametrize("known", [None, "10.0.0.3"])
def test_a_backup_names_the_master_that_it_heard_last(known: str | None) -> None:
    state = InstanceState.model_validate(
        {"instance": "front", "state": "backup", "why": "timer", "vrid": 5, "interface": "eth0"}
        | {"priority": 100, "interval_ms": 1000, "master": known}
    )
    heard = MasterHeard.model_validate({"instance": "front", "master": "10.0.0.9"})
    entered, follows = ("vrrp.backup", ("front",), state), ("vrrp.follows", ("front",), heard)
    front = status("a", registers(entered, follows), CONFIG)["instances"]["front"]
    assert front["master"] == "10.0.0.9"
    for before in (registers(follows, entered), registers(entered)):
        front = status("a", before, CONFIG)["instances"]["front"]
        assert front["master"] == known


def test_a_process_is_stopped_until_it_starts_again() -> None:
    started = ("node.started", ("health",), Started(service="health", version="1", pid=7))
    stopped = ("node.stopped", ("health",), Stopped(service="health", why="asked to"))
    shown = status("a", registers(started, stopped), None)["processes"]["health"]
    assert (shown["state"], shown["why"], shown["epoch"]) == ("stopped", "asked to", 4)
    shown = status("a", registers(stopped, started), None)["processes"]["health"]
    assert (shown["state"], shown["why"], shown["pid"]) == ("started", "", 7)


def test_a_rejection_is_shown_until_something_newer_is_in_force() -> None:
    applied = (
        "config.applied",
        ("cluster",),
        ConfigApplied(number=2, hash=digest(DOCUMENT), document=DOCUMENT, author="me"),
    )
    problem = {"path": "x", "message": "no such interface"}
    rejection = ConfigRejected.model_validate(
        {"number": 3, "hash": "0" * 64, "author": "you", "problems": [problem]}
    )
    rejected = ("config.rejected", ("cluster",), rejection)
    config = status("a", registers(applied, rejected), CONFIG)["config"]
    assert (config["number"], config["author"]) == (2, "me")
    assert config["rejected"]["number"] == 3
    assert config["rejected"]["problems"][0]["message"] == "no such interface"
    assert status("a", registers(rejected, applied), CONFIG)["config"]["rejected"] is None


def test_the_live_weight_is_todays_not_that_of_the_last_change_of_state() -> None:
    quorum_won = ServiceState(
        service="web", up=True, live_weight=1, quorum=1, hysteresis=0, eligible=1, backends=2,
        sorry=False, why="backend.up web/w2",
    )  # fmt: skip
    held = registers(("service.up", ("web",), quorum_won), verdict(up=True))
    assert status("a", held, CONFIG)["services"]["web"]["live_weight"] == 3

"""`libra status` as text: what is wrong stands beside its reason."""

from datetime import UTC, datetime, timedelta
from typing import Any

from libra_cli.output import clock
from libra_cli.report import report

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def status(**more: Any) -> dict[str, Any]:
    config = {"revision": None, "rejected": None}
    empty: dict[str, Any] = {"instances": {}, "services": {}, "sync": {}, "processes": {}}
    empty |= {"node": "a", "admin": None, "sequence": 7, "config": config}
    return empty | {"journal": {"trouble": None}} | more


def lines(**more: Any) -> list[str]:
    return [" ".join(each.split()) for each in report(status(**more), NOW).splitlines()]


def test_an_instance_in_fault_says_why_in_words() -> None:
    instance = {
        "state": "fault", "since": NOW.isoformat(), "why": "interface",
        "detail": "interface eth7 does not exist", "priority": 150, "addresses": ["192.0.2.1"],
        "moved": "", "master": None, "admin": None, "takeover": None,
    }  # fmt: skip
    assert (
        "front fault 0s ago (it cannot work here: interface eth7 does not exist) "
        "priority 150 192.0.2.1" in lines(instances={"front": instance})
    )
    moved = instance | {"priority": 110, "moved": "-40 (program gw: exit status 1)"}
    assert lines(instances={"front": moved})[-1].endswith(
        "priority 110: -40 (program gw: exit status 1) 192.0.2.1"
    )
    unknown = {"state": "unknown", "why": "vrrp does not run", "admin": None}
    assert "front unknown vrrp does not run" in lines(instances={"front": unknown})


def test_the_last_takeover_is_told_with_its_time_unless_it_is_that_of_the_state() -> None:
    takeover = {"time": NOW.isoformat(), "took_ms": 361.25, "why": "timer"}
    master = {
        "state": "master", "since": NOW.isoformat(), "why": "timer", "detail": "",
        "priority": 150, "addresses": ["192.0.2.1"], "moved": "", "master": None, "admin": None,
        "takeover": takeover,
    }  # fmt: skip
    assert (
        "front master 0s ago (no master is heard) priority 150 192.0.2.1 took over in 361.2 ms"
        in lines(instances={"front": master})
    )
    earlier = takeover | {"time": (NOW - timedelta(hours=2)).isoformat()}
    adopted = master | {"why": "adopted", "takeover": earlier}
    assert lines(instances={"front": adopted})[-1].endswith("last takeover 2h ago in 361.2 ms")
    backup = master | {"state": "backup", "why": "start", "master": "192.0.2.9"}
    assert lines(instances={"front": backup})[-1].endswith(
        "master is 192.0.2.9 last takeover 0s ago in 361.2 ms"
    )


def test_a_node_that_is_handed_over_says_so() -> None:
    admin = {
        "mode": "ready", "weight": None, "failover": True, "who": "eve", "until": None,
        "why": "", "node": None,
    }  # fmt: skip
    assert lines(admin=admin)[0].startswith("a [handed over by eve]: ")


def test_what_is_unknown_says_why() -> None:
    backend = {
        "address": "10.0.0.5:80", "verdict": "unknown", "since": None, "weight": 1,
        "mode": "ready", "admin": None, "reason": "health: it does not answer",
    }  # fmt: skip
    service = {
        "address": "192.0.2.1:80", "protocol": "tcp", "scheduler": "wlc", "state": "unknown",
        "why": "ipvs-writer has not judged it yet", "live_weight": None, "quorum": 1,
        "sorry": False, "admin": None, "backends": {"w1": backend},
    }  # fmt: skip
    shown = lines(services={"web": service})
    assert "web tcp 192.0.2.1:80 wlc unknown ipvs-writer has not judged it yet" in shown
    assert "w1 10.0.0.5:80 unknown weight 1 health: it does not answer" in shown


def test_a_process_that_is_not_ready_says_why() -> None:
    process = {
        "state": "started", "since": NOW.isoformat(), "epoch": 2, "pid": 7, "why": "",
        "trouble": "no IPVS",
    }  # fmt: skip
    shown = lines(processes={"ipvs-writer": process})
    assert "ipvs-writer not ready 0s ago epoch 2 process 7 no IPVS" in shown
    stopped = process | {"state": "stopped", "why": "SIGTERM"}
    assert "health stopped 0s ago epoch 2 process 7 SIGTERM" in lines(processes={"health": stopped})


def test_an_instance_that_is_handed_over_says_so() -> None:
    admin = {
        "mode": "ready", "weight": None, "failover": True, "who": "eve", "until": NOW.isoformat(),
        "why": "upgrade", "node": None,
    }  # fmt: skip
    unknown = {"state": "unknown", "why": "", "admin": admin}
    instance: dict[str, Any] = unknown | {
        "state": "backup", "since": NOW.isoformat(), "why": "operator", "detail": "",
        "priority": 1, "moved": "", "addresses": [], "master": "192.0.2.9",
        "takeover": None,
    }  # fmt: skip
    assert lines(instances={"front": instance})[-1].endswith(
        f"master is 192.0.2.9 [handed over by eve until {clock(NOW.isoformat())}: upgrade]"
    )


def test_what_an_operator_set_is_said_once() -> None:
    admin = {
        "mode": "drain", "weight": 5, "failover": False, "who": "eve", "until": None,
        "why": "update", "node": None,
    }  # fmt: skip
    backend = {
        "address": "10.0.0.5:80", "verdict": "up", "since": None, "weight": 0, "mode": "drain",
        "admin": admin, "reason": "check passed",
    }  # fmt: skip
    service = {
        "address": "192.0.2.1:80", "protocol": "tcp", "scheduler": "wlc", "state": "up",
        "why": "", "live_weight": 1, "quorum": 1, "sorry": False, "admin": None,
    }  # fmt: skip

    def shown(**more: Any) -> str:
        return lines(services={"web": service | {"backends": {"w1": backend | more}}})[-1]

    head = "w1 10.0.0.5:80 up weight 0"
    assert shown() == f"{head} [drain weight 5 by eve: update] check passed"
    assert shown(mode="maint").startswith(f"{head} maint [drain weight 5")
    heavy = admin | {"mode": "ready"}
    assert shown(mode="ready", admin=heavy) == f"{head} [weight 5 by eve: update] check passed"


def test_how_far_a_slow_start_is_is_shown() -> None:
    backend = {
        "address": "10.0.0.5:80", "verdict": "up", "since": None, "weight": 22, "ramp": 55,
        "mode": "ready", "admin": None, "reason": "check passed",
    }  # fmt: skip
    service = {
        "address": "192.0.2.1:80", "protocol": "tcp", "scheduler": "wlc", "state": "up",
        "why": "", "live_weight": 1, "quorum": 1, "sorry": False, "admin": None,
    }  # fmt: skip
    shown = lines(services={"web": service | {"backends": {"w1": backend}}})[-1]
    assert shown == "w1 10.0.0.5:80 up weight 22 (slow start, 55 %) check passed"

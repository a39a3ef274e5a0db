"""Reports as events."""

from dataclasses import replace
from datetime import UTC, datetime
from logging import ERROR, INFO, WARNING
from typing import get_args

import pytest

from libra_schemas.events import Alarm, InstanceState, MasterHeard, PriorityState
from libra_schemas.events.vrrp import Why as EventWhy
from libra_vrrp.facts import WORDS, fact_of, level_of, takeover_of
from libra_vrrp.reports import (
    AlarmRaised,
    Awake,
    Follows,
    Report,
    Statistics,
    Transition,
    Weighed,
)
from libra_vrrp.seal.outcome import Reason, alarm
from libra_vrrp.why import Why

AT = datetime.fromtimestamp(1000.0, UTC)
MASTER = Transition(
    instance="front",
    state="master",
    previous="backup",
    why="timer",
    detail="",
    vrid=51,
    interface="eth0",
    priority=150,
    interval=0.1,
    addresses=("192.0.2.10",),
    master="10.9.0.1",
    took=0.36125,
    at=1000.0,
    taken=(1000.0, 0.36125, "timer"),
)


def test_a_state_becomes_an_event_of_its_own_type() -> None:
    fact = fact_of(MASTER)
    assert fact is not None
    kind, data = fact
    assert kind == "vrrp.master"
    assert isinstance(data, InstanceState)
    assert (data.why, data.took_ms, data.interval_ms) == ("timer", 361.25, 100.0)
    assert (data.master, data.family) == (None, "ipv4")


def test_a_takeover_is_told_with_every_state_until_the_next() -> None:
    takeover = takeover_of(MASTER)
    assert takeover is not None
    assert (takeover.time, takeover.took_ms, takeover.why) == (AT, 361.25, "timer")
    fact = fact_of(replace(MASTER, state="backup", why=Why.SHUTDOWN.value), takeover)
    assert fact is not None
    assert isinstance(fact[1], InstanceState)
    assert fact[1].takeover == takeover


def test_who_never_took_over_tells_of_no_takeover() -> None:
    assert takeover_of(replace(MASTER, taken=None)) is None


def test_a_router_of_ipv6_is_told_as_one() -> None:
    fact = fact_of(replace(MASTER, state="backup", family=6, master="fe80::2"))
    assert fact is not None
    assert isinstance(fact[1], InstanceState)
    assert (fact[1].family, str(fact[1].master)) == ("ipv6", "fe80::2")


def test_a_priority_becomes_an_event_that_names_what_moves_it() -> None:
    moved = tuple((f"program.p{i}", -1, f"program p{i}: exit status 1") for i in range(150))
    fact = fact_of(Weighed("front", 130, 150, moved, 1000.0))
    assert fact is not None
    kind, data = fact
    assert kind == "vrrp.priority"
    assert isinstance(data, PriorityState)
    assert (data.priority, data.configured, len(data.moved)) == (130, 150, 100)
    assert (data.moved[7].object, data.moved[7].delta) == ("program.p7", -1)


def test_whom_a_backup_follows_becomes_an_event() -> None:
    heard = MasterHeard.model_validate({"instance": "front", "master": "192.0.2.1"})
    assert fact_of(Follows("front", "192.0.2.1", 1000.0)) == ("vrrp.follows", heard)


def test_a_reason_of_any_length_is_told() -> None:
    fact = fact_of(replace(MASTER, state="fault", why="tracked", detail="so it is; " * 1000))
    assert fact is not None
    assert isinstance(fact[1], InstanceState)
    assert fact[1].why == "track"
    assert fact[1].detail.startswith("so it is; so it is")


def test_every_word_of_the_event_is_said_by_some_reason() -> None:
    assert {word for word, _ in WORDS.values()} == set(get_args(EventWhy))


@pytest.mark.parametrize("why", Why)
def test_every_reason_has_its_word(why: Why) -> None:
    fact = fact_of(replace(MASTER, state="backup", why=why.value, detail="eth0"))
    assert fact is not None
    assert isinstance(fact[1], InstanceState)
    assert fact[1].detail.endswith("eth0")
    assert str(fact[1].master) == "10.9.0.1"


@pytest.mark.parametrize(
    ("why", "word"),
    [
        (Why.ADOPTED, "adopted"),
        (Why.RECOVERED, "recovered"),
        (Why.LOWER_PRIORITY_HEARD, "preempt"),
        (Why.HIGHER_PRIORITY, "higher-priority"),
        (Why.UNCLAIMED, "timer"),
        (Why.SYNCED, "preempt"),
        (Why.OVERDUE, "preempt"),
        (Why.HOLD_OVER, "preempt"),
    ],
)
def test_what_is_told_apart_has_a_word_of_its_own(why: Why, word: str) -> None:
    fact = fact_of(replace(MASTER, why=why.value))
    assert fact is not None
    assert isinstance(fact[1], InstanceState)
    assert fact[1].why == word


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("checksum", "checksum"),
        ("auth", "auth"),
        ("replay", "replay"),
        ("seal", "seal"),
        ("route", "route"),
        ("malformed", "malformed"),
        ("two-masters", "two-masters"),
        ("duplicate-owner", "duplicate-owner"),
        ("own-address", "own-address"),
    ],
)
def test_every_alarm_has_its_word(kind: str, word: str) -> None:
    fact = fact_of(AlarmRaised("front", kind, "10.9.0.1", "priority 100", 3, 1000.0))
    assert fact is not None
    assert fact[0] == "vrrp.alarm"
    assert isinstance(fact[1], Alarm)
    assert (fact[1].kind, fact[1].count) == (word, 3)


@pytest.mark.parametrize("reason", Reason)
def test_whatever_a_seal_raises_has_its_word(reason: Reason) -> None:
    raised = alarm(reason)
    kind, detail = raised if raised is not None else ("seal", "its state file was lost")
    fact = fact_of(AlarmRaised("front", kind, "10.9.0.1", detail, 1, 1000.0))
    assert fact is not None
    assert isinstance(fact[1], Alarm)
    assert (fact[1].kind, fact[1].detail) == (kind, detail)


@pytest.mark.parametrize(
    "report", [replace(MASTER, repeated=True), Awake(), Statistics({}, 0.0, 0.0)]
)
def test_what_is_no_news_becomes_no_event(report: Transition | Awake | Statistics) -> None:
    assert fact_of(report) is None


def test_a_state_that_no_event_can_say_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="priority"):
        fact_of(replace(MASTER, priority=300))


@pytest.mark.parametrize(
    ("report", "level"),
    [
        pytest.param(MASTER, INFO, id="master"),
        pytest.param(replace(MASTER, state="backup", why="timer"), INFO, id="backup"),
        pytest.param(replace(MASTER, state="stopped", why="shutdown"), INFO, id="stopped"),
        pytest.param(replace(MASTER, state="fault", why="fault"), WARNING, id="fault"),
        pytest.param(Weighed("front", 130, 150, (), 0.0), INFO, id="priority"),
        pytest.param(Follows("front", "192.0.2.1", 0.0), INFO, id="follows"),
        *(
            pytest.param(AlarmRaised("front", kind, None, "", 1, 0.0), level, id=kind)
            for kind, level in (
                ("seal", WARNING),
                ("auth", WARNING),
                ("malformed", WARNING),
                ("own-address", WARNING),
                ("two-masters", ERROR),
                ("duplicate-owner", ERROR),
            )
        ),
    ],
)
def test_trouble_is_a_warning_in_the_log_and_two_owners_are_an_error(
    report: Report, level: int
) -> None:
    fact = fact_of(report)
    assert fact is not None
    assert level_of(fact[1]) == level

"""What the machine tells the reporter."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.orders import Instance, Place
from libra_vrrp.reports import (
    AlarmRaised,
    Awake,
    Farewell,
    Follows,
    MalformedReport,
    Numbered,
    Report,
    Reread,
    Statistics,
    Weighed,
    dumps,
    loads,
    transition,
    word,
)
from libra_vrrp.states import (
    Backup,
    Enter,
    Fault,
    Initialize,
    Master,
    Starting,
    State,
    Stopped,
)
from libra_vrrp.why import Why

FRONT = Instance("front", "eth0", 51, 150, (Place("eth0", IPv4Address("192.0.2.10")),))
PEER = IPv4Address("10.9.0.1")
MASTER = transition(
    FRONT, 130, Enter(Master(9.0, 8.0), Why.TIMER, PEER, silent=3.5), "backup", 8.25, 1000.0
)


def test_a_new_masters_time_runs_from_the_last_sign_of_the_old_one() -> None:
    assert (MASTER.state, MASTER.previous, MASTER.why) == ("master", "backup", "timer")
    assert (MASTER.took, MASTER.at) == (3.75, 1000.0)
    assert (MASTER.priority, MASTER.master) == (130, "10.9.0.1")
    assert MASTER.addresses == ("192.0.2.10",)


def test_the_addresses_are_all_that_it_holds() -> None:
    excluded = (Place("eth1", IPv6Address("2001:db8::11")),)
    six = Instance("six", "eth0", 51, 150, (Place("eth0", IPv6Address("2001:db8::10")),))
    told = transition(replace(six, excluded=excluded), 1, Enter(Stopped(), Why.LEASE), None, 0, 0)
    assert (told.family, MASTER.family) == (6, 4)
    assert told.addresses == ("2001:db8::10", "2001:db8::11")


def test_a_fault_says_its_reasons() -> None:
    fault = Fault(frozenset({"eth1 is down", "eth0 is down"}), until=0.0, since=2.0)
    told = transition(FRONT, 150, Enter(fault, Why.FAULT), "master", 2.5, 1000.0)
    assert (told.state, told.detail, told.took) == ("fault", "eth0 is down; eth1 is down", 0.5)


def test_a_backup_and_a_stopped_router_have_no_detail() -> None:
    backup = Backup(down_at=5.0, interval=1.0, since=2.0)
    told = transition(FRONT, 150, Enter(backup, Why.STARTED), None, 2.0, 1000.0)
    assert (told.state, told.previous, told.detail, told.took) == ("backup", None, "", 0.0)
    told = transition(FRONT, 150, Enter(Stopped(), Why.SHUTDOWN), "backup", 2.0, 1000.0)
    assert (told.state, told.took) == ("stopped", 0.0)


def test_what_a_group_did_names_the_member_that_led() -> None:
    blocked = Fault(frozenset(), until=0.0, since=2.0, blocked_by=frozenset({"z", "y"}))
    told = transition(FRONT, 150, Enter(blocked, Why.GROUP, member="y"), "master", 2.5, 1000.0)
    assert (told.why, told.detail) == ("group", "y is in fault; z is in fault")
    backup = Backup(down_at=5.0, interval=1.0, since=2.0)
    told = transition(FRONT, 150, Enter(backup, Why.GROUP, member="y"), "master", 2.0, 1000.0)
    assert (told.why, told.detail) == ("group", "y is master no more")


@pytest.mark.parametrize(
    ("why", "coverage", "detail"),
    [
        (Why.SYNCED, 0.93, "93.0% of the peer's connections are here"),
        (Why.OVERDUE, 0.25, "is over: 25.0% are"),
        (Why.OVERDUE, None, "is over: how many is not known"),
        (Why.TIMER, 0.93, ""),
    ],
)
def test_a_new_master_tells_which_share_of_the_connections_it_has_and_what_that_decided(
    why: Why, coverage: float | None, detail: str
) -> None:
    entered = Enter(Master(9.0, 8.0), why, PEER, coverage=coverage)
    told = transition(FRONT, 130, entered, "backup", 8.25, 1000.0)
    assert told.coverage == coverage
    assert told.detail.endswith(detail)
    assert bool(told.detail) == bool(detail)


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (Master(advert_at=7.0, since=0.0), "master"),
        (Backup(down_at=6.0, interval=1.0, since=0.0), "backup"),
        (Fault(frozenset({"eth0"}), until=9.0, since=0.0), "fault"),
        (Stopped(), "stopped"),
        (Initialize(), None),
        (Starting(until=5.0), None),
    ],
)
def test_a_state_has_the_name_of_its_event(state: State, name: str | None) -> None:
    assert word(state) == name


@pytest.mark.parametrize(
    "report",
    [
        MASTER,
        replace(MASTER, taken=(1000.0, 3.75, "timer")),
        AlarmRaised("front", "checksum", None, "abcd", 3, 1000.0),
        Weighed("front", 130, 150, (("program.gw", -20, "program gw: exit status 1"),), 1000.0),
        Follows("front", "192.0.2.1", 1000.0),
        Statistics({"sent": 5}, 0.001, 1000.0),
        Statistics({"sent": 5}, 0.001, 1000.0, (0, 2, 1), 0.0025),
        Awake(),
        Farewell(),
        Reread(),
    ],
)
def test_every_report_survives_the_line(report: Report) -> None:
    numbered = Numbered("1-2", 7, report)
    assert loads(dumps(numbered)) == numbered


@given(st.binary(max_size=60))
def test_any_line_is_a_report_or_refused(line: bytes) -> None:
    with pytest.raises(MalformedReport):
        loads(line)

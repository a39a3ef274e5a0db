"""Every sentence of RFC 9568 section 6.4, and what LibrA adds to it."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from libra_vrrp.backup import watch
from libra_vrrp.codec import Advertisement
from libra_vrrp.fsm import deadline, step
from libra_vrrp.router import Router, patience, skew
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.states import (
    Adopt,
    Advertise,
    Alarm,
    Announce,
    Backup,
    Blocked,
    Covered,
    DropAddresses,
    Elapsed,
    Enter,
    Fail,
    Fault,
    Heard,
    Initialize,
    Input,
    LeaseLost,
    Master,
    PriorityChanged,
    Reconfigured,
    Recover,
    Released,
    Relinquish,
    Start,
    Starting,
    State,
    Stop,
    Stopped,
    TakeAddresses,
    Yield,
)
from libra_vrrp.why import Why

LOW, HIGH = IPv4Address("10.9.0.1"), IPv4Address("200.0.0.1")
ROUTER = Router(
    vrid=51,
    priority=100,
    address=IPv4Address("10.9.0.2"),
    addresses=(IPv4Address("192.0.2.10"),),
)
OWNER = replace(ROUTER, priority=255)
MASTER = Master(advert_at=1.0, since=0.0)
BACKUP = watch(ROUTER, 1.0, 0.0)
FAULT = Fault(frozenset({"eth0"}), until=0.0, since=0.0)


def says(priority: int, source: IpAddress = LOW, interval: int = 100) -> Heard:
    return Heard(Advertisement(51, priority, interval), source)


def test_an_owner_starts_as_master_and_advertises_before_it_takes_the_addresses() -> None:
    """6.4.1: if the Priority is 255: send an ADVERTISEMENT, announce, transition to Active."""
    state, effects = step(OWNER, Initialize(), Start(), 7.0)
    assert state == Master(advert_at=8.0, since=7.0)
    assert effects == (Advertise(255), TakeAddresses(), Announce(), Enter(state, Why.OWNER))


def test_everyone_else_starts_as_backup_with_the_full_timer() -> None:
    """6.4.1: set Active_Adver_Interval to Advertisement_Interval, the timer to Active_Down."""
    state, effects = step(ROUTER, Initialize(), Start(), 7.0)
    assert state == Backup(down_at=7.0 + patience(ROUTER, 1.0), interval=1.0, since=7.0)
    assert effects == (Enter(state, Why.STARTED),)


def test_a_router_that_cannot_work_starts_in_fault() -> None:
    state, effects = step(ROUTER, Initialize(), Start(frozenset({"eth0 is down"})), 7.0)
    assert state == Fault(frozenset({"eth0 is down"}), until=7.0, since=7.0)
    assert effects == (Enter(state, Why.FAULT),)


def test_the_startup_delay_holds_off_and_then_starts() -> None:
    router = replace(ROUTER, startup_delay=30.0)
    state, effects = step(router, Initialize(), Start(), 0.0)
    assert (state, effects, deadline(state)) == (Starting(30.0), (), 30.0)
    assert step(router, state, says(0), 1.0) == (state, ())
    assert step(router, state, Elapsed(), 29.0) == (state, ())
    assert isinstance(step(router, state, Elapsed(), 30.0)[0], Backup)


def test_a_successor_adopts_mastership() -> None:
    state, effects = step(ROUTER, Initialize(), Adopt(), 7.0)
    assert state == Master(advert_at=8.0, since=7.0)
    assert effects == (Advertise(100), TakeAddresses(), Announce(), Enter(state, Why.ADOPTED))


def test_the_timer_makes_a_backup_master() -> None:
    """6.4.2: if the Active_Down_Timer fires: send, announce, set Adver_Timer, transition."""
    heard, _ = step(ROUTER, BACKUP, says(150), 1.0)
    at = deadline(heard)
    assert at is not None
    assert step(ROUTER, heard, Elapsed(), at - 0.001) == (heard, ())
    state, effects = step(ROUTER, heard, Elapsed(), at)
    assert state == Master(advert_at=at + 1.0, since=at)
    entered = Enter(state, Why.TIMER, peer=LOW, silent=at - 1.0)
    assert effects == (Advertise(100), TakeAddresses(), Announce(), entered)


def test_why_a_backup_takes_over_is_what_let_the_timer_run_out() -> None:
    hurried, _ = step(ROUTER, BACKUP, says(0), 1.0)
    _, effects = step(ROUTER, hurried, Elapsed(), 1.0 + skew(ROUTER, 1.0))
    assert isinstance(effects[-1], Enter)
    assert effects[-1].why is Why.PRIORITY_ZERO


def test_the_learned_interval_is_forgotten_by_the_new_master() -> None:
    """6.4.2, timer fires: set the Adver_Timer to (our) Advertisement_Interval."""
    learned, _ = step(ROUTER, BACKUP, says(150, interval=1000), 1.0)
    at = deadline(learned)
    assert at == 1.0 + patience(ROUTER, 10.0)
    assert step(ROUTER, learned, Elapsed(), at)[0] == Master(advert_at=at + 1.0, since=at)


def test_a_backup_that_shuts_down_says_nothing() -> None:
    """6.4.2: if a Shutdown event is received: cancel the timer, transition to Initialize."""
    assert step(ROUTER, BACKUP, Stop(), 1.0) == (Stopped(), (Enter(Stopped(), Why.SHUTDOWN),))


def test_a_master_that_shuts_down_says_priority_zero_first() -> None:
    """6.4.3: if a Shutdown event is received: send an ADVERTISEMENT with Priority 0."""
    _, effects = step(ROUTER, MASTER, Stop(), 1.0)
    assert effects == (Advertise(0), DropAddresses(), Enter(Stopped(), Why.SHUTDOWN))


def test_a_master_advertises_every_interval_without_drift() -> None:
    """6.4.3: if the Adver_Timer fires: send an ADVERTISEMENT, reset the timer."""
    state, effects = step(ROUTER, MASTER, Elapsed(), 1.004)
    assert (state, effects) == (replace(MASTER, advert_at=2.0), (Advertise(100),))
    assert step(ROUTER, MASTER, Elapsed(), 0.999) == (MASTER, ())


def test_a_late_master_advertises_once_and_not_for_every_missed_interval() -> None:
    state, effects = step(ROUTER, MASTER, Elapsed(), 5.5)
    assert (state, effects) == (replace(MASTER, advert_at=6.5), (Advertise(100),))


def test_a_master_answers_priority_zero_at_once() -> None:
    """6.4.3: if the Priority is 0: send an ADVERTISEMENT, reset the Adver_Timer.

    Who said it was master too, so the neighbours are told again.
    """
    state, effects = step(ROUTER, MASTER, says(0), 0.5)
    assert (state, effects) == (replace(MASTER, advert_at=1.5), (Advertise(100), Announce()))


@pytest.mark.parametrize(
    "heard",
    [
        pytest.param(says(101, LOW), id="a higher priority"),
        pytest.param(says(100, HIGH), id="a tie and a higher address, unsigned"),
    ],
)
def test_a_master_yields_and_learns_the_interval(heard: Heard) -> None:
    """6.4.3: cancel Adver_Timer, set Active_Adver_Interval, recompute, transition to Backup."""
    quick = replace(heard, advertisement=replace(heard.advertisement, interval=10))
    state, effects = step(ROUTER, MASTER, quick, 0.5)
    assert state == Backup(
        down_at=0.5 + patience(ROUTER, 0.1),
        interval=0.1,
        since=0.5,
        master=heard.source,
        heard_at=0.5,
    )
    entered = Enter(state, Why.HIGHER_PRIORITY, heard.source)
    assert effects == (Advertise(100), DropAddresses(), entered)


@pytest.mark.parametrize(
    "heard",
    [
        pytest.param(says(99, HIGH), id="a lower priority"),
        pytest.param(says(100, LOW), id="a tie and a lower address"),
    ],
)
def test_a_master_discards_the_lower_and_answers_at_once(heard: Heard) -> None:
    """6.4.3: discard the ADVERTISEMENT, send one immediately; neighbours are told again."""
    state, effects = step(ROUTER, MASTER, heard, 1.0)
    assert state == replace(MASTER, advert_at=2.0)
    assert effects[:2] == (Advertise(100), Announce())
    assert isinstance(effects[2], Alarm)
    assert effects[2].kind == "two_masters"


def test_the_last_word_of_the_master_we_just_replaced_is_no_alarm() -> None:
    _, effects = step(ROUTER, MASTER, says(99), 0.999)
    assert effects == (Advertise(100), Announce())


def test_our_own_address_in_anothers_advert_is_an_alarm_and_nothing_else() -> None:
    state, effects = step(ROUTER, MASTER, says(100, ROUTER.address), 0.5)
    assert state == MASTER
    assert [e.kind for e in effects if isinstance(e, Alarm)] == ["own_address"]


def test_two_owners_are_settled_by_address_with_an_alarm_on_both() -> None:
    kept, effects = step(OWNER, MASTER, says(255, LOW), 1.5)
    assert isinstance(kept, Master)
    assert [e.kind for e in effects if isinstance(e, Alarm)] == ["two_masters", "duplicate_owner"]
    lost, effects = step(OWNER, MASTER, says(255, HIGH), 0.5)
    assert isinstance(lost, Backup)
    assert [e.kind for e in effects if isinstance(e, Alarm)] == ["duplicate_owner"]


def test_a_failing_master_says_priority_zero_first() -> None:
    state, effects = step(ROUTER, MASTER, Fail("eth0"), 3.0)
    assert state == Fault(frozenset({"eth0"}), until=3.0, since=3.0)
    assert effects == (Advertise(0), DropAddresses(), Enter(state, Why.FAULT))


def test_a_failing_backup_says_nothing() -> None:
    state, effects = step(ROUTER, BACKUP, Fail("eth0"), 3.0)
    assert effects == (Enter(state, Why.FAULT),)


def test_a_router_recovers_only_when_every_reason_is_gone() -> None:
    state, _ = step(ROUTER, FAULT, Fail("eth1"), 1.0)
    state, effects = step(ROUTER, state, Recover("eth0"), 2.0)
    assert effects == ()
    state, effects = step(ROUTER, state, Recover("eth1"), 3.0)
    assert state == watch(ROUTER, 1.0, 3.0)
    assert effects == (Enter(state, Why.RECOVERED),)


def test_a_fault_does_not_shorten_the_startup_delay() -> None:
    state, _ = step(ROUTER, Starting(30.0), Fail("eth0"), 1.0)
    assert step(ROUTER, state, Recover("eth0"), 2.0) == (Starting(30.0), ())
    assert isinstance(step(ROUTER, state, Recover("eth0"), 31.0)[0], Backup)


def test_in_fault_nothing_is_heard() -> None:
    assert step(ROUTER, FAULT, says(0), 1.0) == (FAULT, ())


def test_a_yielding_master_says_priority_zero_and_holds_back() -> None:
    state, effects = step(ROUTER, MASTER, Yield(60.0), 1.0)
    watching = watch(ROUTER, 1.0, 1.0)
    assert state == replace(watching, heard_at=1.0, held_until=61.0, due=Why.UNCLAIMED)
    assert effects == (Advertise(0), DropAddresses(), Enter(state, Why.OPERATOR))


def test_a_yielding_backup_holds_back() -> None:
    state, effects = step(ROUTER, BACKUP, Yield(60.0), 1.0)
    assert (state, effects) == (replace(BACKUP, held_until=61.0), ())


def test_a_shorter_failover_does_not_end_a_longer_one() -> None:
    held = replace(BACKUP, held_until=61.0)
    assert step(ROUTER, held, Yield(5.0), 1.0) == (held, ())


def test_a_backup_that_is_released_holds_back_no_more() -> None:
    held = replace(BACKUP, held_until=61.0)
    assert step(ROUTER, held, Released(), 2.0) == (replace(held, held_until=2.0), ())
    over = replace(BACKUP, held_until=1.0)
    assert step(ROUTER, over, Released(), 2.0) == (over, ())


@pytest.mark.parametrize("state", [MASTER, BACKUP, FAULT])
def test_who_does_not_hold_back_is_not_changed_by_a_release(state: State) -> None:
    assert step(ROUTER, state, Released(), 0.5) == (state, ())


def test_a_yielding_master_returns_if_no_one_else_comes() -> None:
    state, _ = step(ROUTER, MASTER, Yield(60.0), 1.0)
    after, effects = step(ROUTER, state, Elapsed(), 1.0 + patience(ROUTER, 1.0))
    assert isinstance(after, Master)
    entered = effects[-1]
    assert isinstance(entered, Enter)
    assert entered.why is Why.UNCLAIMED
    assert entered.silent == pytest.approx(patience(ROUTER, 1.0))


def test_a_lost_lease_ends_mastership_without_a_word() -> None:
    """We may have been asleep: another router may be master, and must not be disturbed."""
    state, effects = step(ROUTER, MASTER, LeaseLost(), 5.0)
    assert state == watch(ROUTER, 1.0, 5.0)
    assert effects == (DropAddresses(), Enter(state, Why.LEASE))


def test_a_lease_that_the_kernel_never_confirmed_leaves_others_alone_for_a_while() -> None:
    """Else a router whose kernel does not answer would take over again and again, for nothing.

    Found by the simulation: it was back before the other's timer had run out, which is longer.
    """
    state, effects = step(ROUTER, MASTER, LeaseLost(hold=10.0), 5.0)
    assert state == replace(watch(ROUTER, 1.0, 5.0), held_until=15.0, down_at=10.0)
    assert patience(replace(ROUTER, priority=1), 1.0) < 5.0
    assert effects == (DropAddresses(), Enter(state, Why.LEASE))


def test_a_backup_is_told_that_connections_are_synced() -> None:
    synced = replace(BACKUP, coverage=0.93)
    assert step(ROUTER, BACKUP, Covered(0.93), 1.0) == (synced, ())
    assert step(ROUTER, synced, Covered(None), 1.0) == (BACKUP, ())


def test_who_takes_over_tells_which_share_of_the_connections_it_has() -> None:
    _, effects = step(ROUTER, replace(BACKUP, coverage=0.93), Elapsed(), BACKUP.down_at)
    entered = effects[-1]
    assert isinstance(entered, Enter)
    assert entered.coverage == 0.93


def test_a_changed_priority_moves_a_backups_timer() -> None:
    raised = replace(ROUTER, priority=228)
    state, effects = step(raised, BACKUP, PriorityChanged(was=100), 1.0)
    assert effects == ()
    assert deadline(state) == pytest.approx(patience(raised, 1.0))


@pytest.mark.parametrize("given", [PriorityChanged(was=120), Reconfigured()])
def test_a_changed_master_advertises_at_once(given: Input) -> None:
    state, effects = step(ROUTER, MASTER, given, 0.3)
    assert (state, effects) == (replace(MASTER, advert_at=1.3), (Advertise(100),))


def test_an_owner_that_is_not_alone_is_ready_at_once_and_waits() -> None:
    state, effects = step(replace(OWNER, joint=True), Initialize(), Start(), 7.0)
    assert state == replace(watch(OWNER, 1.0, 7.0), down_at=7.0, due=Why.OWNER)
    assert effects == (Enter(state, Why.STARTED),)


def test_a_master_follows_a_member_of_its_group_and_hurries_its_successor() -> None:
    state, effects = step(ROUTER, MASTER, Relinquish("outside"), 3.0)
    assert state == replace(watch(ROUTER, 1.0, 3.0), heard_at=3.0)
    entered = Enter(state, Why.GROUP, member="outside")
    assert effects == (Advertise(0), DropAddresses(), entered)


def test_a_master_follows_one_that_may_have_slept_without_a_word() -> None:
    state, effects = step(ROUTER, MASTER, Relinquish("outside", silent=True), 3.0)
    assert effects == (DropAddresses(), Enter(state, Why.GROUP, member="outside"))


@pytest.mark.parametrize("state", [MASTER, BACKUP, Starting(until=9.0)])
def test_a_fault_in_the_group_is_a_fault_without_a_reason_of_its_own(state: State) -> None:
    after, effects = step(ROUTER, state, Blocked(frozenset({"outside"})), 3.0)
    until = 9.0 if isinstance(state, Starting) else 3.0
    assert after == Fault(frozenset(), until, 3.0, frozenset({"outside"}))
    given_up = (Advertise(0), DropAddresses()) if isinstance(state, Master) else ()
    assert effects == (*given_up, Enter(after, Why.GROUP, member="outside"))


def test_a_router_recovers_when_neither_it_nor_its_group_is_in_fault() -> None:
    started, effects = step(
        ROUTER, Initialize(), Start(frozenset({"eth0"}), frozenset({"outside"})), 0.0
    )
    assert [entered.why for entered in effects if isinstance(entered, Enter)] == [Why.FAULT]
    own, effects = step(ROUTER, started, Blocked(frozenset()), 1.0)
    assert (own, effects) == (FAULT, ())
    assert isinstance(step(ROUTER, own, Recover("eth0"), 2.0)[0], Backup)
    group, effects = step(ROUTER, started, Recover("eth0"), 1.0)
    assert (group, effects) == (Fault(frozenset(), 0.0, 0.0, frozenset({"outside"})), ())
    assert isinstance(step(ROUTER, group, Blocked(frozenset()), 2.0)[0], Backup)


@pytest.mark.parametrize(
    ("state", "given"),
    [
        pytest.param(Initialize(), says(0), id="a router not started hears nothing"),
        pytest.param(Initialize(), Blocked(frozenset({"x"})), id="nor is it held by its group"),
        pytest.param(BACKUP, Relinquish("outside"), id="a backup has nothing to give up"),
        pytest.param(BACKUP, Blocked(frozenset()), id="a backup is not blocked"),
        pytest.param(Initialize(), Fail("eth0"), id="a router not started has no fault"),
        pytest.param(Starting(9.0), says(0), id="a starting router hears nothing"),
        pytest.param(Stopped(), says(0), id="a stopped router hears nothing"),
        pytest.param(Stopped(), Start(), id="a stopped router stays stopped"),
        pytest.param(Stopped(), Fail("eth0"), id="a stopped router has no fault"),
        pytest.param(Stopped(), Stop(), id="a stopped router stops once"),
        pytest.param(BACKUP, LeaseLost(), id="a backup has no lease to lose"),
        pytest.param(BACKUP, Recover("eth0"), id="a backup has nothing to recover from"),
        pytest.param(MASTER, Start(), id="a master is started"),
        pytest.param(MASTER, Covered(1.0), id="a master has nothing to sync"),
        pytest.param(FAULT, Elapsed(), id="time heals no fault"),
    ],
)
def test_what_means_nothing_in_a_state_changes_nothing(state: State, given: Input) -> None:
    assert step(ROUTER, state, given, 1.0) == (state, ())


def test_a_router_stopped_before_its_start_never_speaks() -> None:
    assert step(ROUTER, Initialize(), Stop(), 1.0) == (Stopped(), ())

"""The virtual router's state machine (RFC 9568 section 6.4), with what keepalived adds to it.

One rule: `step` is the whole machine; it reads no clock, sends nothing and keeps nothing.
"""

from dataclasses import replace
from typing import Final, TypeAlias, assert_never

from libra_vrrp.backup import hear, inherit, retime, watch
from libra_vrrp.mastership import advertise_now, answer
from libra_vrrp.router import STOPPING, Router
from libra_vrrp.states import (
    Adopt,
    Advertise,
    Announce,
    Backup,
    Blocked,
    Covered,
    DropAddresses,
    Effect,
    Elapsed,
    Enter,
    Fail,
    Fault,
    Heard,
    Initialize,
    Input,
    LeaseLost,
    Master,
    Orphaned,
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
    deadline,
)
from libra_vrrp.why import Why

__all__ = ["deadline", "step"]

SHY: Final = 5
"""Intervals for which who could not hold its addresses waits: longer than any other backup does."""

Step: TypeAlias = tuple[State, tuple[Effect, ...]]


def step(router: Router, state: State, given: Input, now: float) -> Step:
    """Return the state after `given` and what to do, in this order.

    `router` holds the parameters as they are now; `now` is in seconds of the monotonic clock.
    """
    match given:
        case Stop():
            return _stop(state)
        case Fail(reason=reason):
            return _fail(state, frozenset({reason}), frozenset(), now)
        case Blocked(by=members) if members and not isinstance(state, Fault):
            return _fail(state, frozenset(), members, now)
        case _:
            return _go_on(router, state, given, now)


def _go_on(router: Router, state: State, given: Input, now: float) -> Step:
    match state:
        case Initialize():
            return _initialize(router, state, given, now)
        case Starting():
            return _starting(router, state, given, now)
        case Backup():
            return _backup(router, state, given, now)
        case Master():
            return _master(router, state, given, now)
        case Fault():
            return _fault(router, state, given, now)
        case Stopped():
            return state, ()
        case _:
            assert_never(state)


def _initialize(router: Router, state: Initialize, given: Input, now: float) -> Step:
    match given:
        case Start(faults=faults, blocked_by=others) if faults or others:
            return _enter_fault(Fault(faults, now + router.startup_delay, now, others))
        case Start() if router.startup_delay:
            return Starting(now + router.startup_delay), ()
        case Start():
            return _begin(router, Why.STARTED, now)
        case Adopt():
            return _become_master(router, Why.ADOPTED, now)
        case _:
            return state, ()


def _starting(router: Router, state: Starting, given: Input, now: float) -> Step:
    match given:
        case Elapsed() if now >= state.until:
            return _begin(router, Why.STARTED, now)
        case _:
            return state, ()


def _fault(router: Router, state: Fault, given: Input, now: float) -> Step:
    match given:
        case Recover(reason=reason):
            return _mend(router, replace(state, reasons=state.reasons - {reason}), now)
        case Blocked(by=members):
            return _mend(router, replace(state, blocked_by=members), now)
        case _:
            return state, ()


def _mend(router: Router, state: Fault, now: float) -> Step:
    """Go on once nothing is left that keeps us in fault."""
    if state.reasons or state.blocked_by:
        return state, ()
    if now < state.until:
        return Starting(state.until), ()
    return _begin(router, Why.RECOVERED, now)


def _backup(router: Router, state: Backup, given: Input, now: float) -> Step:
    match given:
        case Elapsed() if now >= state.down_at:
            return _become_master(router, state.due, now, state)
        case Heard():
            return hear(router, state, given, now), ()
        case Orphaned(rank=rank):
            return inherit(state, rank, now), ()
        case PriorityChanged(was=was):
            return retime(router, state, was), ()
        case Yield(hold=hold):
            return replace(state, held_until=max(now + hold, state.held_until or 0.0)), ()
        case Released() if state.held_until is not None:
            return replace(state, held_until=min(now, state.held_until)), ()
        case Covered(coverage=coverage):
            return replace(state, coverage=coverage), ()
        case _:
            return state, ()


def _master(router: Router, state: Master, given: Input, now: float) -> Step:
    match given:
        case Elapsed() if now >= state.advert_at:
            following = state.advert_at + router.interval
            at = following if following > now else now + router.interval
            return replace(state, advert_at=at), (Advertise(router.priority),)
        case Heard():
            return answer(router, state, given, now)
        case PriorityChanged() | Reconfigured():
            return advertise_now(router, state, now)
        case Yield(hold=hold):
            backup = watch(router, router.interval, now)
            backup = replace(backup, heard_at=now, held_until=now + hold, due=Why.UNCLAIMED)
            given_up = (Advertise(STOPPING), DropAddresses(), Enter(backup, Why.OPERATOR))
            return backup, given_up
        case LeaseLost(hold=hold):
            backup = watch(router, router.interval, now)
            if hold:
                down_at = now + SHY * router.interval
                backup = replace(backup, held_until=now + hold, down_at=down_at)
            return backup, (DropAddresses(), Enter(backup, Why.LEASE))
        case Relinquish():
            return _relinquish(router, state, given, now)
        case _:
            return state, ()


def _relinquish(router: Router, state: Master, given: Relinquish, now: float) -> Step:
    """Follow a member of our group, and hurry the successor unless we may have been asleep."""
    backup = replace(watch(router, router.interval, now), heard_at=now)
    entered = Enter(backup, Why.GROUP, member=given.member)
    if given.silent:
        return backup, (DropAddresses(), entered)
    return backup, (*_give_up(state), entered)


def _begin(router: Router, why: Why, now: float) -> Step:
    """Follow section 6.4.1: the owner is master at once, everyone else watches first.

    An owner that is not alone in its group is ready at once, and waits for the others.
    """
    backup = watch(router, router.interval, now)
    if router.owns_addresses:
        if not router.joint:
            return _become_master(router, Why.OWNER, now)
        backup = replace(backup, down_at=now, due=Why.OWNER)
    return backup, (Enter(backup, why),)


def _become_master(router: Router, why: Why, now: float, was: Backup | None = None) -> Step:
    """Take over: the advertisement first, then the addresses, then their announcement."""
    entered = Enter(master := Master(advert_at=now + router.interval, since=now), why)
    if was is not None:
        silent = None if was.heard_at is None else now - was.heard_at
        entered = replace(entered, peer=was.master, silent=silent, coverage=was.coverage)
    return master, (Advertise(router.priority), TakeAddresses(), Announce(), entered)


def _stop(state: State) -> Step:
    if isinstance(state, Initialize | Stopped):
        return Stopped(), ()
    return Stopped(), (*_give_up(state), Enter(Stopped(), Why.SHUTDOWN))


def _fail(state: State, reasons: frozenset[str], members: frozenset[str], now: float) -> Step:
    """Leave the protocol until every reason is gone; priority 0 says so first."""
    match state:
        case Initialize() | Stopped():
            return state, ()
        case Fault():
            return replace(state, reasons=state.reasons | reasons), ()
        case Starting() | Backup() | Master():
            until = state.until if isinstance(state, Starting) else now
            fault, entered = _enter_fault(Fault(reasons, until, now, members))
            return fault, (*_give_up(state), *entered)
        case _:
            assert_never(state)


def _enter_fault(fault: Fault) -> Step:
    if fault.reasons:
        return fault, (Enter(fault, Why.FAULT),)
    return fault, (Enter(fault, Why.GROUP, member=min(fault.blocked_by)),)


def _give_up(state: State) -> tuple[Effect, ...]:
    """Return how mastership ends in order: priority 0 first, so that the successor hurries."""
    return (Advertise(STOPPING), DropAddresses()) if isinstance(state, Master) else ()

"""The virtual router's state machine (RFC 9568 section 6.4), with what keepalived adds to it.

One rule: `step` is the whole machine; it reads no clock, sends nothing and keeps nothing.
"""

from dataclasses import replace
from typing import TypeAlias, assert_never

from libra_vrrp.backup import hear, retime, watch
from libra_vrrp.router import STOPPING, Router
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.states import (
    Adopt,
    Advertise,
    Alarm,
    Announce,
    Backup,
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
    PriorityChanged,
    Reconfigured,
    Recover,
    Released,
    Start,
    Starting,
    State,
    Stop,
    Stopped,
    Synced,
    TakeAddresses,
    Why,
    Yield,
    deadline,
)

__all__ = ["deadline", "step"]

Step: TypeAlias = tuple[State, tuple[Effect, ...]]


def step(router: Router, state: State, given: Input, now: float) -> Step:
    """Return the state after `given` and what to do, in this order.

    `router` holds the parameters as they are now; `now` is in seconds of the monotonic clock.
    """
    match given:
        case Stop() | Fail():
            return _end(state, given, now)
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
        case Start(faults=faults) if faults:
            fault = Fault(faults, until=now + router.startup_delay, since=now)
            return fault, (Enter(fault, Why.FAULT),)
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
            left = state.reasons - {reason}
            if left:
                return replace(state, reasons=left), ()
            if now < state.until:
                return Starting(state.until), ()
            return _begin(router, Why.RECOVERED, now)
        case _:
            return state, ()


def _backup(router: Router, state: Backup, given: Input, now: float) -> Step:
    match given:
        case Elapsed() if now >= state.down_at:
            return _become_master(router, state.due, now, state.master, state.heard_at)
        case Heard():
            return hear(router, state, given, now), ()
        case PriorityChanged(was=was):
            return retime(router, state, was), ()
        case Yield(hold=hold):
            return replace(state, held_until=max(now + hold, state.held_until or 0.0)), ()
        case Released() if state.held_until is not None:
            return replace(state, held_until=min(now, state.held_until)), ()
        case Synced():
            return replace(state, synced=True), ()
        case _:
            return state, ()


def _master(router: Router, state: Master, given: Input, now: float) -> Step:
    match given:
        case Elapsed() if now >= state.advert_at:
            following = state.advert_at + router.interval
            at = following if following > now else now + router.interval
            return replace(state, advert_at=at), (Advertise(router.priority),)
        case Heard():
            return _master_hears(router, state, given, now)
        case PriorityChanged() | Reconfigured():
            return _advertise_now(router, state, now)
        case Yield(hold=hold):
            backup = watch(router, router.interval, now)
            backup = replace(backup, heard_at=now, held_until=now + hold, due=Why.UNCLAIMED)
            given_up = (Advertise(STOPPING), DropAddresses(), Enter(backup, Why.OPERATOR))
            return backup, given_up
        case LeaseLost(hold=hold):
            held_until = now + hold if hold else None
            backup = replace(watch(router, router.interval, now), held_until=held_until)
            return backup, (DropAddresses(), Enter(backup, Why.LEASE))
        case _:
            return state, ()


def _master_hears(router: Router, state: Master, heard: Heard, now: float) -> Step:
    """Follow section 6.4.3; equal priorities are judged by the primary address, unsigned.

    A master that yields says a last word (keepalived: higher_prio_send_advert): after a partition
    the winner learns from it that the neighbours were told otherwise, and announces again.
    """
    said = heard.advertisement
    if said.priority == STOPPING:
        return _advertise_now(router, state, now)
    ours, theirs = (router.priority, router.address), (said.priority, heard.source)
    if theirs == ours:
        return state, (Alarm("own_address", heard.source, "another router uses our address"),)
    if theirs > ours:
        interval = said.interval / 100
        backup = replace(watch(router, interval, now), master=heard.source, heard_at=now)
        entered = Enter(backup, Why.HIGHER_PRIORITY, heard.source)
        last_word = Advertise(router.priority)
        return backup, (last_word, DropAddresses(), entered, *_duplicate_owner(router, heard))
    kept, effects = _advertise_now(router, state, now)
    return kept, (*effects, Announce(), *_two_masters(router, state, heard, now))


def _two_masters(router: Router, state: Master, heard: Heard, now: float) -> tuple[Alarm, ...]:
    """Return the alarm for a lower master; it is no news while we have only just taken over."""
    if now - state.since < router.interval:
        return _duplicate_owner(router, heard)
    detail = f"a master of priority {heard.advertisement.priority}"
    return (Alarm("two_masters", heard.source, detail), *_duplicate_owner(router, heard))


def _duplicate_owner(router: Router, heard: Heard) -> tuple[Alarm, ...]:
    if router.owns_addresses and heard.advertisement.priority == router.priority:
        return (Alarm("duplicate_owner", heard.source, "both have priority 255"),)
    return ()


def _advertise_now(router: Router, state: Master, now: float) -> Step:
    return replace(state, advert_at=now + router.interval), (Advertise(router.priority),)


def _begin(router: Router, why: Why, now: float) -> Step:
    """Follow section 6.4.1: the owner is master at once, everyone else watches first."""
    if router.owns_addresses:
        return _become_master(router, Why.OWNER, now)
    backup = watch(router, router.interval, now)
    return backup, (Enter(backup, why),)


def _become_master(
    router: Router,
    why: Why,
    now: float,
    peer: IpAddress | None = None,
    heard_at: float | None = None,
) -> Step:
    """Take over: the advertisement first, then the addresses, then their announcement."""
    master = Master(advert_at=now + router.interval, since=now)
    silent = None if heard_at is None else now - heard_at
    entered = Enter(master, why, peer, silent)
    return master, (Advertise(router.priority), TakeAddresses(), Announce(), entered)


def _end(state: State, given: Stop | Fail, now: float) -> Step:
    """Leave the protocol, for good or until every reason is gone."""
    match given:
        case Fail(reason=reason):
            return _fail(state, reason, now)
        case Stop():
            if isinstance(state, Initialize | Stopped):
                return Stopped(), ()
            return Stopped(), (*_give_up(state), Enter(Stopped(), Why.SHUTDOWN))
        case _:
            assert_never(given)


def _fail(state: State, reason: str, now: float) -> Step:
    match state:
        case Initialize() | Stopped():
            return state, ()
        case Fault(reasons=reasons):
            return replace(state, reasons=reasons | {reason}), ()
        case Starting() | Backup() | Master():
            until = state.until if isinstance(state, Starting) else now
            fault = Fault(frozenset({reason}), until=until, since=now)
            return fault, (*_give_up(state), Enter(fault, Why.FAULT))
        case _:
            assert_never(state)


def _give_up(state: State) -> tuple[Effect, ...]:
    """Return how mastership ends in order: priority 0 first, so that the successor hurries."""
    return (Advertise(STOPPING), DropAddresses()) if isinstance(state, Master) else ()

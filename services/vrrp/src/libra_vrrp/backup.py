"""What a backup makes of an advertisement (RFC 9568 section 6.4.2), preemption included.

One rule: it only ever moves the timer; becoming master is the timer's matter (`fsm`).
"""

from dataclasses import replace
from typing import Final, assert_never

from libra_vrrp.router import (
    FRESH,
    STOPPING,
    After,
    Always,
    Never,
    Router,
    WhenSynced,
    patience,
    skew,
)
from libra_vrrp.states import Backup, Heard
from libra_vrrp.why import Why

TURN: Final = 0.02
"""Seconds that each router which outranks us has for its own take-over (design §6)."""


def watch(router: Router, interval: float, now: float) -> Backup:
    """Return a fresh backup that waits for a master who advertises every `interval` seconds."""
    return Backup(down_at=now + patience(router, interval), interval=interval, since=now)


def hear(router: Router, state: Backup, heard: Heard, now: float) -> Backup:
    """Hurry on priority 0, wait on for a master that we accept, else let the timer run."""
    said = heard.advertisement
    if said.priority == STOPPING and state.due is Why.TETHER:
        return replace(state, heard_at=now)
    if said.priority == STOPPING:
        hurried = now + skew(router, state.interval)
        return replace(state, down_at=hurried, due=Why.PRIORITY_ZERO, heard_at=now)
    courted = None
    if said.priority < router.priority:
        courted = now if state.courted_since is None else state.courted_since
        if (due := _preempts(router, state, courted, now)) is not None:
            due = due if state.held_until is None else Why.HOLD_OVER
            return replace(state, courted_since=courted, due=due)
    interval = said.interval / 100
    return replace(
        state,
        down_at=now + patience(router, interval),
        interval=interval,
        due=Why.TIMER,
        master=heard.source,
        heard_at=now,
        courted_since=courted,
    )


def inherit(state: Backup, rank: int, now: float) -> Backup:
    """Take over in turn from a master whose process died; whoever is heard first is followed."""
    at = now + rank * TURN
    return state if at >= state.down_at else replace(state, down_at=at, due=Why.TETHER)


def retime(router: Router, state: Backup, was: int) -> Backup:
    """Move the running timer by what the priority's change means for the skew."""
    if state.due is Why.TETHER:
        return state
    before = skew(replace(router, priority=was), state.interval)
    return replace(state, down_at=state.down_at + skew(router, state.interval) - before)


def _preempts(router: Router, state: Backup, courted: float, now: float) -> Why | None:
    """Say why a master that we outrank since `courted` is to be replaced, if it is (6.1)."""
    if state.held_until is not None and now < state.held_until:
        return None
    if router.owns_addresses:
        return Why.LOWER_PRIORITY_HEARD
    match router.preempt:
        case Never():
            return None
        case Always():
            return Why.LOWER_PRIORITY_HEARD
        case After(delay=delay):
            return Why.LOWER_PRIORITY_HEARD if now >= courted + delay else None
        case WhenSynced() as policy:
            return _synced(router, policy, state.coverage, courted, now)
        case _:
            assert_never(router.preempt)


def _synced(
    router: Router, policy: WhenSynced, coverage: float | None, courted: float, now: float
) -> Why | None:
    """Judge by the connections that are here; a number from before a crash is not believed."""
    if now < router.unclean_at + policy.unclean:
        return None
    if coverage is not None and coverage >= FRESH:
        return Why.SYNCED
    return Why.OVERDUE if now >= courted + policy.deadline else None

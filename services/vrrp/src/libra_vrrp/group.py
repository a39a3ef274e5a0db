"""Virtual routers that move together: a sync group (keepalived's vrrp_sync_group).

A NAT director's outside and inside addresses are of use only on one machine. One rule: the members
of a node are masters all or none; what one cannot do none does, and each says so in the network it
is in. A router without a group is one of which it is the only member.

A group becomes master at the moment when the last of its members is ready: in backup with its
timer run out. A member that is ready stays so until it hears a master that it accepts, so that
nothing is lost by waiting. `step` is the whole group; drive it as `fsm.step` is driven: keep a
`Member` per router, hand every input to `step` with the name of the router it is for, put each
`Move`'s state in place and perform its effects in the order of the moves. `Elapsed` is due when
`deadlines` says, which replaces `fsm.deadline`. After members came or went give what `settle`
returns. The routers of a group of several are `joint`. Times are seconds of the monotonic clock.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from libra_vrrp import fsm
from libra_vrrp.router import Router
from libra_vrrp.states import (
    Backup,
    Blocked,
    Effect,
    Elapsed,
    Fault,
    Heard,
    Input,
    LeaseLost,
    Master,
    Relinquish,
    Start,
    State,
    Stopped,
)
from libra_vrrp.why import Why

States: TypeAlias = Mapping[str, State]
Given: TypeAlias = tuple[str, Input]


class Member(Protocol):
    """A router of a group and the state that it is in."""

    @property
    def router(self) -> Router:
        """Its parameters as they are now."""

    @property
    def state(self) -> State:
        """Its state before the input."""


@dataclass(frozen=True, slots=True)
class Move:
    """What one input made of one member; its `effects` are performed in order."""

    member: str
    state: State
    effects: tuple[Effect, ...]


def step(members: Mapping[str, Member], name: str, given: Input, now: float) -> tuple[Move, ...]:
    """Return what `given` to the member `name` makes of it, and of the others, in this order."""
    if len(members) == 1:
        alone = members[name]
        return (Move(name, *fsm.step(alone.router, alone.state, given, now)),)
    states = {one: member.state for one, member in members.items()}
    waiting = list(_meant(states, name, given, now))
    moves: list[Move] = []
    while waiting:
        who, what = waiting.pop(0)
        before = states[who]
        state, effects = fsm.step(members[who].router, before, what, now)
        if isinstance(what, Heard) and _leads(states, who):
            state = _judged(members, who, state, what, now)
        states[who] = state
        moves.append(Move(who, state, effects))
        waiting += _followed(states, who, before, what, now)
    return tuple(moves)


def deadlines(states: States) -> dict[str, float | None]:
    """Return when `Elapsed` is due for each; backups wait for the last one's timer."""
    ready = ready_at(states)
    return {
        name: ready if isinstance(state, Backup) else fsm.deadline(state)
        for name, state in states.items()
    }


def ready_at(states: States) -> float | None:
    """Return from when on every member is ready to be master; None while one cannot be."""
    taking_part = [one for one in states.values() if not isinstance(one, Stopped)]
    if not all(isinstance(one, Backup | Master) for one in taking_part):
        return None
    backups = [one for one in taking_part if isinstance(one, Backup)]
    return max((max(one.down_at, one.beaten_until or one.down_at) for one in backups), default=None)


def settle(states: States) -> tuple[Given, ...]:
    """Return what members must be told that came to this group as they are, or lost another."""
    return tuple(_blocks(states))


def _meant(states: States, name: str, given: Input, now: float) -> Iterator[Given]:
    """Say what an input means to whom: the timer's end is one for the whole group."""
    match given:
        case Elapsed() if isinstance(states[name], Backup):
            at = ready_at(states)
            if at is not None and now >= at:
                yield from ((n, given) for n, one in states.items() if isinstance(one, Backup))
        case Start():
            yield name, replace(given, blocked_by=_in_fault(states) - {name})
        case _:
            yield name, given


def _followed(states: States, who: str, before: State, given: Input, now: float) -> Iterator[Given]:
    """Say what follows for the others from what became of `who`."""
    after = states[who]
    if fails(before) != fails(after):
        yield from _blocks(states)
    gave_up = isinstance(before, Master) and isinstance(after, Backup)
    if not isinstance(given, Relinquish) and (gave_up or _follows_another(after, given, now)):
        silent = isinstance(given, LeaseLost)
        for name, one in states.items():
            if isinstance(one, Master):
                yield name, Relinquish(who, silent=silent)


def _follows_another(after: State, given: Input, now: float) -> bool:
    """Say whether a member accepts a master elsewhere: then none of ours can be one for long.

    That is so where members came together that were masters here and there.
    """
    accepts = isinstance(after, Backup) and after.due is Why.TIMER and after.heard_at == now
    return isinstance(given, Heard) and accepts


def _blocks(states: States) -> Iterator[Given]:
    """Say who must learn of faults in the group that came or went."""
    failed = _in_fault(states)
    for name, one in states.items():
        known = one.blocked_by if isinstance(one, Fault) else frozenset()
        if known != (others := failed - {name}):
            yield name, Blocked(others)


def _in_fault(states: States) -> frozenset[str]:
    return frozenset(name for name, one in states.items() if fails(one))


def fails(state: State) -> bool:
    """Say whether a member cannot be master itself, whatever becomes of the others."""
    return isinstance(state, Fault) and bool(state.reasons)


def _leads(states: States, who: str) -> bool:
    """Say whether this member is the first by name of several, the same one on every node."""
    taking_part = [name for name, one in states.items() if not isinstance(one, Stopped)]
    return len(taking_part) > 1 and who == min(taking_part)


def _judged(
    members: Mapping[str, Member], who: str, after: State, heard: Heard, now: float
) -> State:
    """Have a node that just lost the first member stand back, until a master is sure to be there.

    Where priorities or addresses order the nodes differently from member to member, several can
    each lose one, give up all at once, and so on for ever. The one that did not lose the first
    member comes back before the others.
    """
    if not isinstance(after, Backup):
        return after
    router, said = members[who].router, heard.advertisement
    if now >= after.since + router.interval / 2:
        is_heard = after.due is Why.TIMER and after.heard_at == now
        return replace(after, beaten_until=None) if is_heard else after
    if said.priority and (said.priority, heard.source) > (router.priority, router.address):
        routers = [member.router for member in members.values()]
        longest = max((one.down_after + 2) * one.interval for one in routers)
        return replace(after, beaten_until=now + longest)
    return after

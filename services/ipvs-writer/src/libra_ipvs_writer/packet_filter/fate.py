"""What becomes of real servers' answers on their way through the FORWARD hook.

Rule: all answers are followed at once, as bits of a number; at each rule the bits of those that
*may* meet it and of those that *must* are told apart, so that `dropped` is certain.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar, assert_never

from libra_ipvs_writer.packet_filter.rules import (
    Action,
    Base,
    Condition,
    Interface,
    Jump,
    Protocol,
    Rule,
    Source,
    Tracked,
    Tracking,
    Unclear,
    UnreadableRules,
)

Key = TypeVar("Key")
Fate = Literal["passes", "dropped", "unknown"]

STEPS = 100_000
"""Rules met, at most; chains that lead to each other in many ways are not followed for ever."""
DEPTH = 200
"""Jumps within each other, at most."""
SOURCE_REWRITTEN = 99
"""From this priority on IPVS has put the virtual address in place of the real server's."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The first packet of a real server's answer; None = it may be any.

    *source* is the address as a number, *inbound* an interface, *protocol* its number.
    """

    source: int
    inbound: str | None
    protocol: int | None


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers of one address family, where they may leave, and what tracking may call them."""

    each: tuple[Answer, ...]
    outbound: frozenset[str]
    tracking: Tracking


@dataclass(frozen=True, slots=True)
class Verdict:
    """The *fate* of an answer, and of a dropped one the chain that drops it."""

    fate: Fate
    base: Base | None = None


Masks = tuple[int, int]
"""Bits of those for whom it must hold, bits of those for whom it may."""


class Crowd:
    """The answers as bits of a number, in the order of their sources."""

    def __init__(self, answers: Answers) -> None:
        each = answers.each
        self.order = sorted(range(len(each)), key=lambda at: each[at].source)
        self.everyone = (1 << len(each)) - 1
        self._sources = [each[at].source for at in self.order]
        self._inbound: dict[str | None, int] = {}
        self._protocol: dict[int | None, int] = {}
        for bit, at in enumerate(self.order):
            _add(self._inbound, each[at].inbound, bit)
            _add(self._protocol, each[at].protocol, bit)
        self._answers = answers
        self._tracking = tuple(answers.tracking)

    def meet(self, rule: Rule) -> Masks:
        """Tell for whom all conditions of *rule* must hold, and for whom they may."""
        must = may = self.everyone
        for condition in rule.conditions:
            surely, maybe = self._hold(condition)
            must, may = must & surely, may & maybe
            if not may:
                break
        return must, may

    def _hold(self, condition: Condition) -> Masks:
        match condition:
            case Unclear():
                return 0, self.everyone
            case Source():
                found = self._from(condition.first, condition.last)
            case Interface(out=True):
                found = self._all_or_some(map(condition.fits, self._answers.outbound))
            case Interface():
                found = _known(self._inbound, condition.fits)
            case Protocol():
                found = _known(self._protocol, condition.number.__eq__)
            case Tracked():
                states = condition.states.value
                found = self._all_or_some(bool(each.value & states) for each in self._tracking)
            case _:
                assert_never(condition)
        return self._other(found) if condition.negated else found

    def _from(self, first: int, last: int) -> Masks:
        below = (1 << bisect_left(self._sources, first)) - 1
        mask = ((1 << bisect_right(self._sources, last)) - 1) & ~below
        return mask, mask

    def _all_or_some(self, claims: Iterable[bool]) -> Masks:
        found = set(claims)
        must = self.everyone if found == {True} else 0
        return must, self.everyone if found != {False} else 0

    def _other(self, found: Masks) -> Masks:
        must, may = found
        return self.everyone & ~may, self.everyone & ~must


def _add(masks: dict[Key, int], key: Key, bit: int) -> None:
    masks[key] = masks.get(key, 0) | 1 << bit


def _known(masks: Mapping[Key | None, int], fits: Callable[[Key], bool]) -> Masks:
    must = 0
    for key, mask in masks.items():
        if key is not None and fits(key):
            must |= mask
    return must, must | masks.get(None, 0)


@dataclass(slots=True)
class _Walk:
    """One base chain being walked; its masks: who may have met that end."""

    base: Base
    crowd: Crowd
    accepted: int = 0
    dropped: int = 0
    steps: int = 0

    def through(self, name: str, here: int, depth: int = 0) -> int:
        """Walk a chain; give the bits of those that may come out of its end or return."""
        if depth > DEPTH or name not in self.base.chains:
            raise UnreadableRules(f"the chain {name} is not there or leads too deep")
        left = 0
        for rule in self.base.chains[name]:
            self.steps += 1
            if self.steps > STEPS:
                raise UnreadableRules(f"the rules of {self.base.chain} are too many")
            must, may = self.crowd.meet(rule)
            if may & here:
                here, gone = self._act(rule.action, must & here, may & here, here, depth)
                left |= gone
            if not here:
                break
        return left | here

    def _act(self, action: Action | Jump, must: int, may: int, here: int, depth: int) -> Masks:
        """Give who may go on behind the rule, and who may leave the chain."""
        match action:
            case Action.ACCEPT:
                self.accepted |= may
                return here & ~must, 0
            case Action.DROP:
                self.dropped |= may
                return here & ~must, 0
            case Action.RETURN:
                return here & ~must, may
            case Action.GO_ON:
                return here, 0
            case Action.UNSURE:
                self.accepted |= may
                self.dropped |= may
                return here, 0
            case Jump():
                back = self.through(action.chain, may, depth + 1)
                return (here & ~must | back, 0) if action.returns else (here & ~must, back)
            case _:
                assert_never(action)


def may_drop(base: Base) -> bool:
    """Tell whether anything in *base* drops packets."""
    rules = (rule.action for chain in base.chains.values() for rule in chain)
    return base.policy is Action.DROP or Action.DROP in rules


def judge(bases: Iterable[Base], answers: Answers) -> tuple[Verdict, ...]:
    """Tell the fate of each answer, in the order given.

    An accepted packet goes on to the next base chain; a dropped one is gone. Raise
    UnreadableRules where rules cannot be followed to their end.
    """
    crowd = Crowd(answers)
    alive, doubtful = crowd.everyone, 0
    verdicts: dict[int, Verdict] = {}
    for base in sorted(bases, key=lambda each: each.priority):
        if base.priority >= SOURCE_REWRITTEN or not alive:
            break
        accepted, dropped = _run(base, crowd, alive)
        doubtful |= dropped
        for bit in _bits(alive & ~accepted):
            verdicts[crowd.order[bit]] = Verdict("dropped", base)
        alive = accepted
    for bit in _bits(alive):
        verdicts[crowd.order[bit]] = Verdict("unknown" if doubtful >> bit & 1 else "passes")
    return tuple(verdicts[at] for at in range(len(answers.each)))


def _run(base: Base, crowd: Crowd, alive: int) -> Masks:
    """Walk one base chain; give the bits of those it may accept and of those it may drop."""
    walk = _Walk(base, crowd)
    end = walk.through(base.chain, alive)
    if base.policy is Action.ACCEPT:
        return walk.accepted | end, walk.dropped
    return walk.accepted, walk.dropped | end


def _bits(mask: int) -> Iterable[int]:
    return (bit for bit in range(mask.bit_length()) if mask >> bit & 1)

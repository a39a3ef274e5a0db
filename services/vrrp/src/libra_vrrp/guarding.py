"""What the guard knows of the machine, when it acts in its place, and what it does then.

Design §6. One rule: what a machine holds is given up only once that machine cannot act any more.
Times are seconds of the monotonic clock.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias, assert_never

from libra_vrrp.routing import Entry
from libra_vrrp.rtnetlink import Target

SILENCE: Final = 1.5
"""Intervals by which an advertisement may be overdue: 2.5 after the last, where others wait 3."""
SHORTEST: Final = 0.1
"""Seconds by which it may be overdue at the least: a stalled machine is no hung one."""
TRUST: Final = 1.5
"""Intervals beyond the silence after which others have taken over: 4 after the last."""
LATE: Final = 0.05
"""Seconds by which the guard itself may wake too late and still judge the machine."""
SPARE: Final = 0.1
"""Seconds that the machine has for a sign of life where the guard itself was held up."""


@dataclass(frozen=True, slots=True)
class LastWord:
    """A whole IP packet to send from interface `index`, or where the routes lead if it is 0."""

    index: int
    destination: str
    packet: bytes


@dataclass(frozen=True, slots=True)
class Will:
    """An instance that the machine is master of: what to remove and to say when it dies.

    `vmac` is the index of the interface that bears its virtual MAC.
    """

    instance: str
    interval: float
    targets: tuple[Target, ...]
    words: tuple[LastWord, ...]
    entries: tuple[Entry, ...] = ()
    vmac: int | None = None


@dataclass(frozen=True, slots=True)
class Revoked:
    """The machine is master of an instance no more."""

    instance: str


@dataclass(frozen=True, slots=True)
class Settled:
    """The machine has started every router: what it has not adopted by now it does not adopt."""


@dataclass(frozen=True, slots=True)
class Tethered:
    """A connection to another node comes with this; it is to be held under `key`: NODE NUMBER."""

    key: str


@dataclass(frozen=True, slots=True)
class Untethered:
    """The connection of this key is to be held no more."""

    key: str


@dataclass(frozen=True, slots=True)
class Superseded:
    """`node` knows a connection of this machine: those of the machines before it are of no use."""

    node: str


Tether: TypeAlias = Tethered | Untethered | Superseded
Message: TypeAlias = Will | Revoked | Settled | Tether


@dataclass(frozen=True, slots=True)
class Estate:
    """What a machine left; others keep waiting for its owner until `until`."""

    will: Will
    until: float


@dataclass(frozen=True, slots=True)
class Ward:
    """The machine as its guard knows it: its `wills`, and what is `left` for it to adopt.

    It is `condemned` once it was silent and was killed for it: nobody adopts what it leaves.
    """

    wills: Mapping[str, Will] = field(default_factory=dict)
    left: Mapping[str, Estate] = field(default_factory=dict)
    condemned: bool = False


@dataclass(frozen=True, slots=True)
class HandOver:
    """Set `vmacs` down, remove `targets`, then send `words`, then remove `entries`."""

    targets: tuple[Target, ...] = ()
    words: tuple[LastWord, ...] = ()
    entries: tuple[Entry, ...] = ()
    vmacs: tuple[int, ...] = ()


def due(masters: Iterable[tuple[float, float, float]]) -> float:
    """Return by when a live machine gives its next sign of life; infinity if it is no master.

    `masters` has, for each instance that it is master of, when the next advertisement is due, the
    interval, and when the machine steps down unless its lease is confirmed once more.
    """
    return min(
        (
            min(at + max(SILENCE * every, SHORTEST), until + SHORTEST)
            for at, every, until in masters
        ),
        default=float("inf"),
    )


def hear(ward: Ward, message: Message, now: float) -> tuple[Ward, HandOver]:
    """Take in what the machine says."""
    match message:
        case Will(instance=name):
            left = {other: estate for other, estate in ward.left.items() if other != name}
            return replace(ward, wills={**ward.wills, name: message}, left=left), HandOver()
        case Revoked(instance=name):
            wills = {other: will for other, will in ward.wills.items() if other != name}
            return replace(ward, wills=wills), HandOver()
        case Settled():
            lost = hand_over(ward.left.values(), now, held=ward.wills.values())
            return replace(ward, left={}), lost
        case Tethered() | Untethered() | Superseded():
            return ward, HandOver()
        case _:
            assert_never(message)


def deadline(ward: Ward, promised: float) -> float:
    """Return when the guard has to act, unless the machine speaks before.

    `promised` is by when the machine said that it gives its next sign of life.
    """
    if ward.condemned:
        return float("inf")
    return min([promised, *(estate.until for estate in ward.left.values())])


def spared_until(planned: float, now: float) -> float:
    """Return until when nothing is held against the machine: one pause stops it and its guard."""
    return now + SPARE if now - planned > LATE else now


def condemn(ward: Ward, promised: float, now: float) -> tuple[Ward, HandOver]:
    """Give up what a machine holds, or was to adopt, that was silent and has been killed for it.

    What it had asked the kernel for may still come: the targets are removed once more at its end.
    """
    wills = {name: replace(will, words=()) for name, will in ward.wills.items()}
    return Ward(wills, condemned=True), given_up(ward, promised, now)


def bury(ward: Ward, promised: float, now: float, heir_at: float) -> tuple[Ward, HandOver]:
    """Settle what a dead machine leaves: its successor, at work by `heir_at`, may adopt in time.

    The last advertisement of each instance is at most one interval old, and as much more as the
    machine was behind its promise.
    """
    if ward.condemned:
        return Ward(), given_up(ward, promised, now)
    shortest = min((will.interval for will in ward.wills.values()), default=0.0)
    behind = max(now + SILENCE * shortest - promised, 0.0)
    estates = {**ward.left}
    for name, will in ward.wills.items():
        estates[name] = Estate(will, now + SILENCE * will.interval - behind)
    return _settled(estates, now, heir_at)


def leave(ward: Ward, told_at: float, now: float, heir_at: float | None) -> tuple[Ward, HandOver]:
    """Settle what a machine leaves that was told to at `told_at`.

    Since then it has said one more advertisement of each instance that it left. Where nobody may
    come (`heir_at` None) it knows what can stay; what it had not adopted yet does not.
    """
    estates = {**ward.left}
    if heir_at is None:
        estates, heir_at = {name: replace(one, until=now) for name, one in estates.items()}, now
    for name, will in ward.wills.items():
        estates[name] = Estate(will, told_at + SILENCE * will.interval)
    return _settled(estates, now, heir_at)


def _settled(estates: Mapping[str, Estate], now: float, heir_at: float) -> tuple[Ward, HandOver]:
    """Keep what can be adopted in time, give up the rest."""
    kept = {name: one for name, one in estates.items() if one.until > heir_at}
    lost = [one for name, one in estates.items() if name not in kept]
    return Ward(left=kept), hand_over(lost, now, held=(one.will for one in kept.values()))


def given_up(ward: Ward, promised: float, now: float) -> HandOver:
    """Return what gives up everything that the machine holds, or was to adopt."""
    held = [Estate(will, promised) for will in ward.wills.values()]
    return hand_over([*ward.left.values(), *held], now)


def hand_over(estates: Iterable[Estate], now: float, held: Iterable[Will] = ()) -> HandOver:
    """Return what gives them up; where others have taken over already, nothing is said.

    What is in a will that is `held` stays: an address may have moved to another instance.
    """
    estates, held = tuple(estates), tuple(held)
    kept = {target for will in held for target in will.targets}
    left = dict.fromkeys(target for one in estates for target in one.will.targets)
    targets = tuple(target for target in left if target not in kept)
    laid = {entry for will in held for entry in will.entries}
    found = dict.fromkeys(entry for one in estates for entry in one.will.entries)
    entries = tuple(entry for entry in found if entry not in laid)
    heard = [one for one in estates if now < one.until + TRUST * one.will.interval]
    words = tuple(word for one in heard for word in one.will.words)
    borne = {will.vmac for will in held}
    given = dict.fromkeys(at for one in estates if (at := one.will.vmac) is not None)
    return HandOver(targets, words, entries, tuple(at for at in given if at not in borne))

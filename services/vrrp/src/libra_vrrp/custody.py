"""A guard's custody of its machine: whom it kills, what it gives up, what it keeps for the next.

Design §6. One rule: effects are done in the order in which they stand, each before the next. Times
are seconds of the monotonic clock.
"""

from dataclasses import dataclass, field, replace
from typing import TypeAlias

from libra_vrrp import guarding
from libra_vrrp.bequest import Bequest
from libra_vrrp.guarding import (
    HandOver,
    Message,
    Settled,
    Superseded,
    Tether,
    Tethered,
    Untethered,
    Ward,
)


@dataclass(frozen=True, slots=True)
class Kill:
    """End the machine, which is silent, before anything is done for it."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do in place of the machine what it does not do any more."""

    lost: HandOver
    why: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Hold a connection of a tether, or let go of some."""

    tether: Tether


@dataclass(frozen=True, slots=True)
class Outlive:
    """Know that the machine is dead whose connections are held."""


@dataclass(frozen=True, slots=True)
class Cut:
    """End all connections: nothing is left that a machine could adopt."""


Effect: TypeAlias = Kill | GiveUp | Hold | Outlive | Cut


@dataclass(frozen=True, slots=True)
class Custody:
    """`died_at` is when the last machine ended, `needs` what the last start took.

    Nothing is held against the machine before `spared_until`.
    """

    ward: Ward = field(default_factory=Ward)
    died_at: float | None = None
    needs: float = 0.0
    spared_until: float = 0.0


Step: TypeAlias = tuple[Custody, tuple[Effect, ...]]


def begin(left: Bequest | None) -> Custody:
    """Return what a guard begins with whose first machine may adopt what was left."""
    if left is None:
        return Custody()
    estates = {estate.will.instance: estate for estate in left.left}
    return Custody(Ward(left=estates), left.died_at, left.needs)


def hear(custody: Custody, message: Message, started_at: float, now: float) -> Step:
    """Take in what the machine says that was started at `started_at`."""
    ward, lost = guarding.hear(custody.ward, message, now)
    custody = replace(custody, ward=ward)
    if isinstance(message, Settled):
        custody = replace(custody, needs=now - started_at)
    if isinstance(message, Tethered | Untethered | Superseded):
        return custody, (Hold(message),)
    return custody, _given_up(lost, "not adopted")


def watch(custody: Custody, promised: float, now: float, *, runs: bool) -> Step:
    """Kill a machine that is silent while it is master, or late to adopt, before all else.

    Where none runs no successor could be started in time, and none is condemned.
    """
    if now < deadline(custody, promised):
        return custody, ()
    ward, lost = guarding.condemn(custody.ward, promised, now)
    custody = replace(custody, ward=ward)
    if runs:
        return custody, (Kill(), *_given_up(lost, "silent"), Cut())
    return replace(custody, ward=Ward(), died_at=None), (*_given_up(lost, "silent"), Cut())


def bury(custody: Custody, promised: float, now: float, start_at: float) -> Step:
    """Give up what a machine left that has ended, but for what the next one can adopt.

    That one is started at `start_at`.
    """
    was_condemned = custody.ward.condemned
    ward, lost = guarding.bury(custody.ward, promised, now, start_at + custody.needs)
    custody = replace(custody, ward=ward, died_at=None if was_condemned else now)
    cut = (Cut(),) if lost != HandOver() and not ward.left else ()
    return custody, (*_given_up(lost, "silent" if was_condemned else "died"), Outlive(), *cut)


def told(custody: Custody) -> Custody:
    """Know that the machine was told to leave: how it ends is not how the one before did."""
    return replace(custody, died_at=None)


def leave(custody: Custody, told_at: float, now: float, *, at_once: bool) -> Step:
    """Give up what a machine that ended in order left to nobody; the ward keeps what is left.

    It was told to at `told_at`. A successor that starts at once is a guard and a machine, one
    after the other; another one may never start.
    """
    heir_at = now + 2 * custody.needs if at_once else None
    ward, lost = guarding.leave(custody.ward, told_at, now, heir_at)
    return replace(custody, ward=ward), _given_up(lost, "not left")


def bequest(custody: Custody, place: str, told_at: float, unclean_at: float) -> Bequest:
    """Return what the next service is to adopt."""
    died_at = told_at if custody.died_at is None else custody.died_at
    return Bequest(place, died_at, custody.needs, tuple(custody.ward.left.values()), unclean_at)


def end(custody: Custody, promised: float, now: float) -> tuple[Effect, ...]:
    """Return what gives up all that the machine held, or that was left to it, and its tethers."""
    return *_given_up(guarding.given_up(custody.ward, promised, now), "ended"), Cut()


def deadline(custody: Custody, promised: float) -> float:
    """Return when `watch` is due, unless the machine gives its sign of life before."""
    return max(guarding.deadline(custody.ward, promised), custody.spared_until)


def woken(custody: Custody, planned: float, now: float) -> Custody:
    """Spare the machine where the guard itself, which was to wake at `planned`, was held up."""
    spared_until = max(custody.spared_until, guarding.spared_until(planned, now))
    return replace(custody, spared_until=spared_until)


def _given_up(lost: HandOver, why: str) -> tuple[Effect, ...]:
    return () if lost == HandOver() else (GiveUp(lost, why),)

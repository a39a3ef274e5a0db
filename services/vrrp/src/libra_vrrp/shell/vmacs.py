"""The interfaces that bear virtual MACs, made and removed as virtual routers come and go.

They are down but for a master's: what is down says and hears nothing.
"""

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from errno import EEXIST, ETIMEDOUT
from functools import partial
from typing import Final, TypeVar

from libra_vrrp import macvlan
from libra_vrrp.interfaces import Interfaces
from libra_vrrp.orders import Instance
from libra_vrrp.renewal import UNKNOWN, Job, Remove, Unmake
from libra_vrrp.rtnetlink import Answered
from libra_vrrp.shell.aside import Aside
from libra_vrrp.shell.pulse import Routing
from libra_vrrp.shell.questions import Questions, reason
from libra_vrrp.shell.say import log
from libra_vrrp.shell.vmac_sysctls import follow_parent, is_quiet, unfit_for_vmac
from libra_vrrp.states import Initialize, Master
from libra_vrrp.vmacs import Standing, Wanted, index, is_ours, lack, plan, standing, wanted_by

T = TypeVar("T")

RETRY: Final = 1.0
"""Seconds until what was refused is tried again, and what is there is looked at again."""


@dataclass(frozen=True, slots=True)
class _Tended:
    """The interface of this index was looked after, and again at `again_at`; `why` it is unfit.

    Others may have reacted to one that `is_new`.
    """

    index: int
    again_at: float
    why: str | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Stuck:
    """The kernel keeps an interface that is to go, and says `why`; asked again at `again_at`."""

    why: str
    again_at: float


class Vmacs:
    """Made aside, removed by `work`; `look_at` is told when all is to be looked at again."""

    def __init__(
        self, aside: Aside, work: Callable[[Job], None], look_at: Callable[[float], None]
    ) -> None:
        self._aside, self._work, self._look_at = aside, work, look_at
        self._under_way: set[Wanted] = set()
        self._tended: dict[Wanted, _Tended] = {}
        self._refused: dict[Wanted, str] = {}
        self._again_at: dict[Wanted, float] = {}
        self._leaving: frozenset[int] = frozenset()
        self._stuck: dict[int, _Stuck] = {}

    def fault(self, order: Instance, known: Interfaces) -> str | None:
        """Say why the interface of an instance cannot be used, None where it can or none is."""
        one = wanted_by(order)
        if one is None:
            return None
        how = standing(one, known)
        if how is Standing.FITS:
            tended = self._tended_now(one, known)
            return f"interface {one.name} is not ready yet" if tended is None else tended.why
        if how is Standing.ABSENT and one in self._refused:
            return self._refused[one]
        stuck = self._stuck_at(one, known) if how is Standing.STALE else None
        return lack(one, how) if stuck is None else _kept(one.name, stuck.why)

    def is_opening(self, order: Instance, known: Interfaces) -> bool:
        """Say whether the interface of an instance is under way."""
        one = wanted_by(order)
        if one is None or one in self._refused or self._stuck_at(one, known):
            return False
        how = standing(one, known)
        is_made = how is Standing.FITS and self._tended_now(one, known) is not None
        return not is_made and how in {Standing.FITS, Standing.ABSENT, Standing.STALE}

    def retry_at(self) -> float:
        """Return when to try again what was refused."""
        refused = (at for one, at in self._again_at.items() if one not in self._under_way)
        unfit = (
            told.again_at
            for one, told in self._tended.items()
            if told.why is not None and one not in self._under_way
        )
        fresh = [told.again_at for told in self._tended.values() if told.is_new]
        at_once = [max(fresh)] if fresh and not self._under_way else []
        stuck = (told.again_at for told in self._stuck.values())
        return min([*refused, *unfit, *stuck, *at_once], default=float("inf"))

    def reconcile(self, wanted: Collection[Wanted], known: Interfaces, now: float) -> None:
        """Have what is wanted made and looked after, and what is not wanted any more removed."""
        work = plan(wanted, known)
        missing, there = {one for one, _ in work.missing}, {one for one, _ in work.there}
        self._refused = {one: why for one, why in self._refused.items() if one in missing}
        self._again_at = {one: at for one, at in self._again_at.items() if one in missing}
        self._tended = {one: told for one, told in self._tended.items() if one in there}
        due = [each for each in work.missing if now >= self._again_at.get(each[0], 0.0)]
        self._begin(due, _make, self._made)
        untended = [each for each in work.there if self._is_untended(each[0], known, now)]
        self._begin(untended, _tend, self._looked_after)
        self._remove(frozenset(work.surplus), now)

    def stop(self, known: Interfaces) -> None:
        """Have all of ours removed."""
        every = frozenset(at for at, link in known.links.items() if is_ours(link))
        self._remove(every, float("inf"))

    def unmade(self, refused: Iterable[tuple[int, Answered]], now: float) -> None:
        """Note which interfaces are still there; wait for a while before another try."""
        for at, answer in refused:
            why, before = reason(answer), self._stuck.get(at)
            self._stuck[at] = _Stuck(why, now + RETRY)
            is_news = before is None or before.why != why
            if is_news:
                log("a virtual MAC's interface stays, trying again", "warning", index=at, why=why)
            self._look_at(now if is_news else self.retry_at())

    def hush(self, routers: Iterable[Routing], known: Interfaces) -> None:
        """Set down what somebody set up whose router is no master."""
        for one in routers:
            at = index(one.order.vmac, known)
            may_be_up = isinstance(one.state, Initialize | Master)
            if at is not None and known.links[at].up and not may_be_up:
                self._work(Remove((), (), at))

    def _remove(self, surplus: frozenset[int], now: float) -> None:
        self._stuck = {at: told for at, told in self._stuck.items() if at in surplus}
        again = {at for at, told in self._stuck.items() if now >= told.again_at}
        self._stuck |= {at: replace(self._stuck[at], again_at=float("inf")) for at in again}
        fresh, self._leaving = surplus - self._leaving | again, surplus
        if fresh:
            self._work(Unmake(tuple(sorted(fresh))))

    def _stuck_at(self, one: Wanted, known: Interfaces) -> _Stuck | None:
        link = known.named(one.name)
        return None if link is None else self._stuck.get(link.index)

    def _tended_now(self, one: Wanted, known: Interfaces) -> _Tended | None:
        link, tended = known.named(one.name), self._tended.get(one)
        is_same = link is not None and tended is not None and link.index == tended.index
        return tended if is_same else None

    def _is_untended(self, one: Wanted, known: Interfaces, now: float) -> bool:
        tended = self._tended_now(one, known)
        return tended is None or now >= tended.again_at

    def _begin(
        self,
        about: Iterable[tuple[Wanted, int]],
        call: Callable[[Wanted, int], T],
        then: Callable[[Wanted, int, T | OSError, float], bool],
    ) -> None:
        """Make a call aside for each that has none under way, and look at all once, for all of it.

        The call has the index that comes with each; `then` says whether it changed anything.
        """
        fresh = {one: at for one, at in about if one not in self._under_way}
        self._under_way |= fresh.keys()

        def follow(outcomes: list[T | OSError] | OSError, now: float) -> None:
            self._under_way -= fresh.keys()
            each = [outcomes] * len(fresh) if isinstance(outcomes, OSError) else outcomes
            answered = zip(fresh.items(), each, strict=True)
            news = [then(one, at, outcome, now) for (one, at), outcome in answered]
            self._look_at(now if any(news) else self.retry_at())

        if fresh:
            self._aside.do(partial(_each, call, fresh), follow)

    def _made(self, one: Wanted, _: int, outcome: int | OSError, now: float) -> bool:
        """Look whether the kernel has told of it already; wait for a while before another try."""
        self._again_at[one] = now + RETRY
        if not isinstance(outcome, OSError):
            if not outcome:
                log("made an interface for a virtual MAC", name=one.name, on=one.parent)
            return True
        why = f"no interface {one.name} on {one.parent}: {outcome.strerror}"
        before, self._refused[one] = self._refused.get(one), why
        if before != why:
            log("no interface for a virtual MAC, trying again", "warning", why=why)
        return before != why

    def _looked_after(
        self, one: Wanted, at: int, outcome: str | OSError | None, now: float
    ) -> bool:
        why = str(outcome) if isinstance(outcome, OSError) else outcome
        before = self._tended.get(one)
        is_new = before is None or before.index != at
        self._tended[one] = _Tended(at, now + RETRY, why, is_new)
        return before is None or (before.index, before.why) != (at, why)


def _kept(name: str, why: str) -> str:
    return (
        f"interface {name} is there for another virtual router, and the kernel keeps it: {why} "
        f"(`ip link del {name}`)"
    )


def _each(call: Callable[[Wanted, int], T], about: Mapping[Wanted, int]) -> list[T | OSError]:
    outcomes: list[T | OSError] = []
    for one, at in about.items():
        try:
            outcomes.append(call(one, at))
        except OSError as error:
            outcomes.append(error)
    return outcomes


def _make(one: Wanted, parent: int) -> int:
    """Make one, return 0; EEXIST where somebody was faster. Raise `OSError`."""
    with closing(Questions()) as kernel:
        (answer,) = kernel.ask(macvlan.make, [(one.name, parent, one.mac)])
    if answer.errno == UNKNOWN:
        raise TimeoutError(ETIMEDOUT, "the kernel did not answer")
    if answer.errno not in {0, EEXIST}:
        raise OSError(answer.errno, answer.why or os.strerror(answer.errno))
    return answer.errno


def _tend(one: Wanted, at: int) -> str | None:
    """Look after one; return what is wrong with it.

    Others may undo what was set. Where the settings cannot be written rtnetlink still quietens.
    """
    if not is_quiet(one.name):
        with closing(Questions()) as kernel:
            kernel.ask(macvlan.quieten, [at])
    follow_parent(one.name, one.parent)
    wrong = unfit_for_vmac(one.name, one.parent, answers=one.answers)
    return "; ".join(sorted(wrong)) or None

"""From counts to verdicts: what is held true of each backend, and when to say so.

The one rule: a stand is said once; it survives restarts and applies as long as its target digest
does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from libra_health.outcome import Passed
from libra_health.verdict import damping, ramp, weight
from libra_health.verdict.blast import Guard, Member
from libra_health.verdict.damping import CALM, Damping
from libra_health.verdict.debounce import Standing
from libra_health.verdict.ramp import WHOLE, Ramp
from libra_health.verdict.stand import Known, Stand, event_type
from libra_health.verdict.tally import Course, Finding, Tally, refuses, standing
from libra_health.verdict.vantage import Decision, Votes, decide
from libra_health.verdict.watch import Watch
from libra_health.verdict.weight import PAUSE


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold by flap damping: its limits, and the seconds until it ends at the earliest."""

    limits: Damping
    left: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to publish: the backend's whole new state and why.

    `weights`: what each check contributes. `hold` and `guard`: what keeps it down, or in.
    `votes`: of all nodes where they count. `is_last`: kept in as this node reaches too few others.
    """

    watch: Watch
    type: str
    stand: Stand
    findings: tuple[Finding | None, ...]
    weights: tuple[int | None, ...]
    hold: Hold | None = None
    guard: Guard | None = None
    votes: Votes = ()
    is_last: bool = False

    @property
    def known(self) -> Known:
        """What is known of a backend by this being in the log."""
        watch = self.watch
        checks = tuple(
            (lookout.label, isinstance(found.outcome, Passed))
            for lookout, found in zip(watch.lookouts, self.findings, strict=True)
            if found is not None and 0 < found.needed <= found.attempt
        )
        return Known(watch.digest, watch.place, self.stand, self.hold is not None, checks)


Ruling: TypeAlias = tuple[Tally, Verdict | None]


def rule(tally: Tally, now: float, *, may_go: bool = True, is_last: bool = False) -> Ruling:
    """Say what is not yet said; `may_go`: whether the guard lets it be taken out.

    `is_last`: whether a node that reaches too few others has to keep it. What the log holds counts
    as said; before that is known nothing may be ruled.
    """
    course = _rested(tally, now)
    decision = _decided(tally, course)
    if decision is None:
        return _kept(tally, course, None), None
    if decision.up:
        course = replace(course, ramp=_ramp(tally, course, now))
        share = ramp.share(course.ramp, now) if course.ramp else None
        stand = Stand(up=True, weight=_weight(tally, share), ramp=share)
    else:
        course = replace(course, ramp=None)
        stand = _failing(tally, course, may_go=may_go and not is_last)
    stand = replace(stand, seen=_seen(tally, course) if tally.watch.policy.vantage else None)
    too_soon = _too_soon(stand, tally.said, course, now)
    due = _due(tally.watch, course, now, waits=too_soon)
    is_baseless = not decision.votes and _lacks_ground(tally, stand)
    if too_soon or stand.says_as(tally.said) or is_baseless:
        return _kept(tally, course, due), None
    verdict = _verdict(tally, course, stand, now)
    verdict = replace(verdict, votes=decision.votes, is_last=is_last and stand.held)
    spoken = _spoken(course, stand, now)
    return replace(tally, course=spoken, said=stand, due=due), verdict


def member_of(tally: Tally, now: float) -> Member:
    """Show a backend to the guard of its pool."""
    course = _rested(tally, now)
    decision = _decided(tally, course)
    if decision is not None and decision.up:
        return Member()
    if not course.was_in:
        return Member(removed=course.removed)
    if decision is None or (not decision.votes and _lacks_result(tally)):
        return Member()
    down = [d.since for d in tally.debounces if d.standing is Standing.DOWN]
    return Member(min(down, default=0.0), refuses(tally))


def _seen(tally: Tally, course: Course) -> bool:
    return standing(tally) is Standing.UP and not course.flaps.is_held


def _decided(tally: Tally, course: Course) -> Decision | None:
    """Tell whether a backend is to serve, None where that is not known yet."""
    seen, vantage = _seen(tally, course), tally.watch.policy.vantage
    if standing(tally) is Standing.UNKNOWN:
        return None
    if vantage is None:
        return Decision(seen, ())
    return None if tally.heard is None else decide(vantage, tally.heard, seen=seen)


def _failing(tally: Tally, course: Course, *, may_go: bool) -> Stand:
    """Take out what fails; what the guard withholds keeps the least weight there is."""
    if may_go or not course.was_in:
        return Stand(up=False, damped=course.flaps.is_held)
    whole = _weight(tally, None)
    return Stand(
        up=True, held=True, weight=min(1, tally.watch.policy.weight if whole is None else whole)
    )


def _rested(tally: Tally, now: float) -> Course:
    limits, course = tally.watch.policy.damping, tally.course
    flaps = CALM if limits is None else damping.rested(course.flaps, limits, now)
    return course if flaps is course.flaps else replace(course, flaps=flaps)


def _ramp(tally: Tally, course: Course, now: float) -> Ramp | None:
    """Begin a slow start where a backend comes back, or new into a pool; end it when it is over."""
    span = tally.watch.policy.slow_start
    comes_back = course.was_in is False or (tally.said is not None and tally.said.held)
    going = Ramp(now, span) if comes_back and span > 0 else course.ramp
    return going if going and ramp.share(going, now) < WHOLE else None


def _weight(tally: Tally, share: int | None) -> int | None:
    """Tell the effective weight; a check that is down contributes nothing.

    Where the config says 0, no check gives any.
    """
    if tally.watch.policy.weight == 0:
        return None
    if tally.unheard and tally.course.recalled is not None:
        base: int | None = tally.course.recalled
    else:
        both = zip(tally.debounces, tally.weights, strict=True)
        base = weight.given(w for d, w in both if d.standing is not Standing.DOWN)
    if base is None and share is None:
        return None
    return weight.scaled(tally.watch.policy.weight if base is None else base, share or WHOLE)


def _too_soon(stand: Stand, said: Stand | None, course: Course, now: float) -> bool:
    """Whether a mere change of weight has to wait; a step of slow start never does."""
    if said is None or stand.says_as(said) or not stand.judges_as(said):
        return False
    if stand.ramp != said.ramp or stand.seen != said.seen:
        return False
    return course.spoken is not None and now < course.spoken + PAUSE


def _lacks_ground(tally: Tally, stand: Stand) -> bool:
    """Whether it would judge otherwise than the log before any check said why."""
    return tally.said is not None and not stand.judges_as(tally.said) and _lacks_result(tally)


def _lacks_result(tally: Tally) -> bool:
    """Whether there are checks and none has said what bears its standing out."""
    return bool(tally.findings) and not any(tally.findings)


def _due(watch: Watch, course: Course, now: float, *, waits: bool) -> float | None:
    """Tell when something ends or grows by time alone."""
    times = []
    if course.flaps.is_held and watch.policy.damping is not None:
        times.append(damping.end(course.flaps, watch.policy.damping))
    if course.ramp is not None:
        times.append(ramp.next_step(course.ramp, now))
    if waits and course.spoken is not None:
        times.append(course.spoken + PAUSE)
    return min(times, default=None)


def _kept(tally: Tally, course: Course, due: float | None) -> Tally:
    if course == tally.course and due == tally.due:
        return tally
    return replace(tally, course=course, due=due)


def _spoken(course: Course, stand: Stand, now: float) -> Course:
    removed = course.removed
    if stand.up:
        removed = None
    elif course.was_in:
        removed = now
    return replace(course, was_in=stand.up, removed=removed, spoken=now)


def _verdict(tally: Tally, course: Course, stand: Stand, now: float) -> Verdict:
    watch, limits = tally.watch, tally.watch.policy.damping
    hold = None
    if limits is not None and course.flaps.is_held and (stand.held or not stand.up):
        hold = Hold(limits, max(0.0, damping.end(course.flaps, limits) - now))
    guard = watch.policy.guard if stand.held else None
    kind = event_type(stand, tally.said)
    return Verdict(watch, kind, stand, tally.findings, tally.weights, hold, guard)

"""What is counted of one backend: results, contributions, changes.

The one rule: counting decides nothing; what follows from the counts is ruled in `ruling` alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.verdict import damping
from libra_health.verdict.damping import CALM, Flaps
from libra_health.verdict.debounce import Debounce, Standing, observe
from libra_health.verdict.policy import joined
from libra_health.verdict.ramp import Ramp
from libra_health.verdict.stand import Stand
from libra_health.verdict.vantage import Heard
from libra_health.verdict.watch import Watch


@dataclass(frozen=True, slots=True)
class Finding:
    """The result that made a lookout's standing, or moves it to a first one.

    `attempt` of `needed` in a row. `observed`: seconds from the first of the equal results.
    """

    outcome: Passed | Failed
    attempt: int
    needed: int
    observed: float


@dataclass(frozen=True, slots=True)
class Course:
    """What a backend has behind it at one place, whatever was checked; monotonic seconds.

    `was_in`: whether it served when last ruled; False also for a new one in a pool at work, None
    where nothing is known. `removed`: when it was taken out of service. `spoken`: when it was last
    told of. `recalled`: its weight in the log, until its checks have said theirs.
    """

    was_in: bool | None = None
    flaps: Flaps = CALM
    ramp: Ramp | None = None
    removed: float | None = None
    spoken: float | None = None
    recalled: int | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What is known of one backend; the tuples run along `watch.lookouts`.

    `weights`: what each check contributes. `unheard`: the places that had no say of their
    weight so far, neither a pass nor a standing that is down.
    `said`: what the log holds for `watch.digest`, if anything. `due`: when it is to be ruled
    again though nothing happens. `heard`: what the other nodes say of it, None while that is not
    known.
    """

    watch: Watch
    debounces: tuple[Debounce, ...]
    findings: tuple[Finding | None, ...]
    weights: tuple[int | None, ...]
    unheard: frozenset[int]
    course: Course = Course()
    said: Stand | None = None
    due: float | None = None
    heard: Heard | None = None


def record(tally: Tally, place: int, outcome: Outcome, now: float) -> Tally:
    """Count one result of the lookout at `place`; trouble of our own counts for nothing.

    Returns the very same object where nothing changed.
    """
    match outcome:
        case Errored():
            return tally
        case Passed(weight=contribution):
            needed, passed = tally.watch.lookouts[place].rise, True
            tally = _contributing(tally, place, contribution)
        case Failed():
            needed, passed = tally.watch.lookouts[place].fall, False
        case _:
            assert_never(outcome)
    before = tally.debounces[place]
    after = observe(before, passed=passed, needed=needed, now=now)
    if place in tally.unheard and (passed or after.standing is Standing.DOWN):
        tally = _heard(tally, place)
    if after is before and not _tells_more(tally, place, outcome):
        return tally
    told = tally.findings[place]
    if after is not before and _leaves_what_is_settled(before, after) and (told or after.streak):
        return _with(tally, place, after, told)
    first = after.against if after.streak else after.since
    finding = Finding(outcome, abs(after.streak) or needed, needed, now - first)
    if after is before:
        return _with(tally, place, after, finding)
    return _counted(tally, _with(tally, place, after, finding), now)


def condemn(tally: Tally, place: int, outcome: Failed, now: float) -> Tally:
    """Take it that what the lookout at `place` connects to is gone: down, whatever `fall` says."""
    if tally.debounces[place].standing is Standing.DOWN:
        return record(tally, place, outcome, now)
    if place in tally.unheard:
        tally = _heard(tally, place)
    finding = Finding(outcome, 1, 1, outcome.latency)
    return _counted(tally, _with(tally, place, Debounce(Standing.DOWN, 0, now), finding), now)


def stirs(before: Tally, after: Tally, place: int) -> bool:
    """Whether a result at `place` can change what is to be said; a streak alone cannot."""
    was, now = before.debounces[place].standing, after.debounces[place].standing
    if was is not now or before.weights is not after.weights:
        return True
    if before.unheard is not after.unheard:
        return True
    return now is Standing.DOWN and before.findings[place] is not after.findings[place]


def standing(tally: Tally) -> Standing:
    """Tell what holds by the checks, and by whether anything was said of them yet."""
    found = {debounce.standing for debounce in tally.debounces}
    either = tally.watch.policy.any_passes
    return joined(found, any_passes=either, is_said=tally.said is not None)


def refuses(tally: Tally) -> bool:
    """Whether a check that decides was refused; where any may pass, all of them must have been."""
    refused = [
        isinstance(finding.outcome, Failed) and finding.outcome.reason is Reason.REFUSED
        for debounce, finding in zip(tally.debounces, tally.findings, strict=True)
        if debounce.standing is Standing.DOWN and finding is not None
    ]
    if tally.watch.policy.any_passes:
        return len(refused) == len(tally.debounces) and all(refused)
    return any(refused)


def _counted(before: Tally, after: Tally, now: float) -> Tally:
    """Count a change of the standing for flap damping; a first one is none."""
    limits, found = after.watch.policy.damping, {standing(before), standing(after)}
    if limits is None or found != {Standing.UP, Standing.DOWN}:
        return after
    flaps = damping.changed(after.course.flaps, limits, now)
    return replace(after, course=replace(after.course, flaps=flaps))


def _heard(tally: Tally, place: int) -> Tally:
    """Note a first say; once all have spoken, the log's weight counts no more."""
    unheard = tally.unheard - {place}
    course = tally.course if unheard else replace(tally.course, recalled=None)
    return replace(tally, unheard=unheard, course=course)


def _contributing(tally: Tally, place: int, contribution: int | None) -> Tally:
    if tally.weights[place] == contribution:
        return tally
    weights = list(tally.weights)
    weights[place] = contribution
    return replace(tally, weights=tuple(weights))


def _tells_more(tally: Tally, place: int, outcome: Passed | Failed) -> bool:
    """Whether a result that moves nothing is still news: the first one, or the first refusal."""
    finding = tally.findings[place]
    if finding is None:
        return True
    if isinstance(outcome, Passed) or outcome.reason is not Reason.REFUSED:
        return False
    told = isinstance(finding.outcome, Failed) and finding.outcome.reason is Reason.REFUSED
    return not told and tally.debounces[place].standing is Standing.DOWN


def _leaves_what_is_settled(before: Debounce, after: Debounce) -> bool:
    """Whether a result merely goes on with a streak against the standing, or ends one."""
    return after.standing is before.standing and before.standing is not Standing.UNKNOWN


def _with(tally: Tally, place: int, debounce: Debounce, finding: Finding | None) -> Tally:
    debounces, findings = list(tally.debounces), list(tally.findings)
    debounces[place], findings[place] = debounce, finding
    return replace(tally, debounces=tuple(debounces), findings=tuple(findings))

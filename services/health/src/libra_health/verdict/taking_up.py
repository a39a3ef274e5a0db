"""Taking up a backend: what a tally begins with, after a start and after an apply.

The one rule: whatever asks the same keeps its standing, the same server keeps its course, and what
has not settled takes the log's word.
"""

from __future__ import annotations

from dataclasses import replace

from libra_health.verdict import damping, ramp, weight
from libra_health.verdict.damping import CALM
from libra_health.verdict.debounce import UNDECIDED, Debounce, Standing, settled
from libra_health.verdict.policy import joined
from libra_health.verdict.stand import Known
from libra_health.verdict.tally import Course, Finding, Tally
from libra_health.verdict.watch import Lookout, Watch


def begin(
    watch: Watch,
    previous: Tally | None = None,
    known: Known | None = None,
    *,
    joins: bool,
    now: float,
) -> Tally:
    """Take up a backend, after a start or an apply.

    `previous`: its tally before the apply; whatever asks the same keeps its standing.
    `known`: what the log holds of it. `joins`: whether its pool is at work already.
    """
    if previous is not None and previous.watch == watch:
        return previous
    kept = [_taken_over(lookout, previous) for lookout in watch.lookouts]
    tally = Tally(
        watch,
        tuple(debounce for debounce, _, _, _ in kept),
        tuple(finding for _, finding, _, _ in kept),
        tuple(contribution for _, _, contribution, _ in kept),
        frozenset(place for place, (*_, heard) in enumerate(kept) if not heard),
    )
    if previous is not None and previous.watch.place == watch.place:
        return _recalled(replace(tally, course=_adjusted(previous.course, watch, now)), known, now)
    return recall(tally, known, joins=joins, now=now)


def recall(tally: Tally, known: Known | None, *, joins: bool, now: float) -> Tally:
    """Learn what the log holds (None: nothing), after having begun without it.

    A lookout that has not settled yet takes the log's word; one that has settled is believed.
    """
    flaps = tally.course.flaps
    course = _course_of(tally.watch, known, joins=joins, now=now)
    if course.flaps is CALM:
        course = replace(course, flaps=flaps)
    return _recalled(replace(tally, course=course), known, now)


def _taken_over(
    lookout: Lookout, previous: Tally | None
) -> tuple[Debounce, Finding | None, int | None, bool]:
    if previous is not None:
        for place, old in enumerate(previous.watch.lookouts):
            if lookout.probe.asks_the_same(old.probe):
                heard = place not in previous.unheard
                finding, contribution = previous.findings[place], previous.weights[place]
                return previous.debounces[place], finding, contribution, heard
    return UNDECIDED, None, None, False


def _recalled(tally: Tally, known: Known | None, now: float) -> Tally:
    """Take the log's word for this very digest."""
    if known is None or known.digest != tally.watch.digest:
        return replace(tally, said=None)
    both = zip(tally.debounces, _standings(tally.watch, known), strict=True)
    debounces = tuple(
        _settled(told, now) if was.standing is Standing.UNKNOWN else was for was, told in both
    )
    return replace(tally, debounces=debounces, said=known.stand)


def _settled(standing: Standing, now: float) -> Debounce:
    if standing is Standing.UNKNOWN:
        return UNDECIDED
    return settled(up=standing is Standing.UP, now=now)


def _standings(watch: Watch, known: Known) -> list[Standing]:
    """Tell what each check was found to be; the joined verdict, where the evidence does not tell.

    Where any may pass, an `up` that others gave says nothing of a check that did not tell.
    """
    said = Standing.UP if known.stand.own else Standing.DOWN
    labels, told = [lookout.label for lookout in watch.lookouts], dict(known.checks)
    either = watch.policy.any_passes
    given = either and said is Standing.UP and any(told.get(label) for label in labels)
    found = {label: Standing.UP if passed else Standing.DOWN for label, passed in told.items()}
    rest = Standing.UNKNOWN if given else said
    each = [found.get(label, rest) for label in labels]
    agrees = known.flaps or joined(set(each), any_passes=either, is_said=True) is said
    return each if agrees and len(set(labels)) == len(labels) else [said] * len(labels)


def _course_of(watch: Watch, known: Known | None, *, joins: bool, now: float) -> Course:
    """Begin a course with what the log tells of the same server."""
    policy = watch.policy
    if known is None or known.place != watch.place:
        return Course(was_in=True if policy.assume_up else False if joins else None)
    stand, share = known.stand, known.stand.ramp
    gave = None
    if stand.up and not stand.held and stand.weight is not None:
        gave = weight.recalled(stand.weight, share, policy.weight)
    return Course(
        was_in=stand.up,
        flaps=damping.resumed(now) if known.flaps and policy.damping else CALM,
        ramp=ramp.resumed(share, policy.slow_start, now) if share and policy.slow_start else None,
        removed=None if stand.up else now,
        recalled=gave,
    )


def _adjusted(course: Course, watch: Watch, now: float) -> Course:
    """Go on under another policy."""
    policy = watch.policy
    return replace(
        course,
        flaps=damping.adjusted(course.flaps, policy.damping),
        ramp=ramp.adjusted(course.ramp, policy.slow_start, now),
    )

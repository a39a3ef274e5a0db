"""From results to verdicts: what is held true of each backend, and when to say so.

The one rule: a verdict is said once; it survives restarts and applies as long as its target digest
does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never

from libra_health.debounce import UNDECIDED, Debounce, Standing, observe, settled
from libra_health.outcome import Errored, Failed, Outcome, Passed
from libra_health.probes import Lookout, Watch


@dataclass(frozen=True, slots=True)
class Finding:
    """The result that last moved a lookout, and how far: `attempt` of `needed` in a row.

    `observed`: seconds from the first of the equal results.
    """

    outcome: Passed | Failed
    attempt: int
    needed: int
    observed: float


@dataclass(frozen=True, slots=True)
class Tally:
    """What is known of one backend; the tuples run along `watch.lookouts`.

    `said`: the verdict that the log holds for `watch.digest`, if any.
    """

    watch: Watch
    debounces: tuple[Debounce, ...]
    findings: tuple[Finding | None, ...]
    said: bool | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to publish: the backend's whole new state and why."""

    watch: Watch
    up: bool
    findings: tuple[Finding | None, ...]


Ruling: TypeAlias = tuple[Tally, Verdict | None]


def begin(watch: Watch, previous: Tally | None = None, *, logged: bool | None = None) -> Ruling:
    """Take up a backend, after a start or an apply.

    `previous`: its tally before the apply; whatever asks the same keeps its standing.
    `logged`: the verdict that the log holds for this very digest.
    """
    if previous is not None and previous.watch == watch:
        return previous, None
    kept = [_taken_over(lookout, previous) for lookout in watch.lookouts]
    tally = Tally(watch, tuple(d for d, _ in kept), tuple(f for _, f in kept))
    if previous is not None and previous.watch.digest == watch.digest:
        return _rule(replace(tally, said=previous.said))
    return recall(tally, logged=logged)


def recall(tally: Tally, *, logged: bool | None) -> Ruling:
    """Learn what the log holds for this digest (None: nothing), after having begun without it.

    A lookout that has not settled yet takes the log's word; one that has settled is believed.
    """
    if logged is None:
        return _rule(replace(tally, said=None))
    fresh = settled(up=logged)
    debounces = tuple(
        fresh if debounce.standing is Standing.UNKNOWN else debounce for debounce in tally.debounces
    )
    return _rule(replace(tally, debounces=debounces, said=logged))


def record(tally: Tally, place: int, outcome: Outcome, now: float) -> Ruling:
    """Count one result of the lookout at `place`; trouble of our own counts for nothing."""
    match outcome:
        case Errored():
            return tally, None
        case Passed():
            needed, passed = tally.watch.lookouts[place].rise, True
        case Failed():
            needed, passed = tally.watch.lookouts[place].fall, False
        case _:
            assert_never(outcome)
    before = tally.debounces[place]
    after = observe(before, passed=passed, needed=needed, now=now)
    if after is before:
        return tally, None
    attempt = abs(after.streak) or needed
    finding = Finding(outcome, attempt, needed, now - after.since)
    if _contradicted_no_more(before, after):
        return _with(tally, place, after, tally.findings[place]), None
    return _rule(_with(tally, place, after, finding))


def condemn(tally: Tally, place: int, outcome: Failed, now: float) -> Ruling:
    """Take it that what the lookout at `place` connects to is gone: down, whatever `fall` says."""
    if tally.debounces[place].standing is Standing.DOWN:
        return tally, None
    finding = Finding(outcome, 1, 1, outcome.latency)
    return _rule(_with(tally, place, replace(settled(up=False), since=now), finding))


def standing(tally: Tally) -> Standing:
    """Tell the verdict over all lookouts: all must be up; one that is down decides."""
    found = {debounce.standing for debounce in tally.debounces}
    if Standing.DOWN in found:
        return Standing.DOWN
    return Standing.UNKNOWN if Standing.UNKNOWN in found else Standing.UP


def _contradicted_no_more(before: Debounce, after: Debounce) -> bool:
    """Whether a result merely ended a streak against the standing."""
    return after.standing is before.standing and after.streak == 0


def _taken_over(lookout: Lookout, previous: Tally | None) -> tuple[Debounce, Finding | None]:
    if previous is not None:
        for old, debounce, finding in zip(
            previous.watch.lookouts, previous.debounces, previous.findings, strict=True
        ):
            if lookout.probe.asks_the_same(old.probe):
                return debounce, finding
    return UNDECIDED, None


def _with(tally: Tally, place: int, debounce: Debounce, finding: Finding | None) -> Tally:
    debounces, findings = list(tally.debounces), list(tally.findings)
    debounces[place], findings[place] = debounce, finding
    return replace(tally, debounces=tuple(debounces), findings=tuple(findings))


def _rule(tally: Tally) -> Ruling:
    """Say what is not yet said."""
    found = standing(tally)
    up = found is Standing.UP
    if found is Standing.UNKNOWN or tally.said is up:
        return tally, None
    return replace(tally, said=up), Verdict(tally.watch, up, tally.findings)

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.health.watching import (
    BAD,
    BOTH,
    GOOD,
    OURS,
    PING,
    QUICK,
    REFUSED,
    WATCH,
    feed,
    fresh,
    logged,
    stands,
    under,
)

from libra_health.outcome import Outcome, Passed
from libra_health.verdict.blast import Guard, Member
from libra_health.verdict.damping import Damping
from libra_health.verdict.policy import Policy
from libra_health.verdict.ruling import Hold, Verdict, member_of, rule
from libra_health.verdict.stand import Known, Stand
from libra_health.verdict.taking_up import begin
from libra_health.verdict.tally import Finding, record
from libra_health.verdict.weight import PAUSE
from libra_health.wire import Origin, Target

UP, DOWN = Stand(up=True), Stand(up=False)
HELD = Stand(up=True, held=True, weight=1)
LIMITS = Damping(3, 60.0, 30.0)
DAMPED = under(QUICK, Policy(damping=LIMITS))
SLOW = under(QUICK, Policy(weight=100, slow_start=100.0))
GUARDED = under(QUICK, Policy(weight=100, guard=Guard(1, 60.0)))


def test_the_first_verdict_takes_as_many_results_as_any_other() -> None:
    _, said = feed(fresh(WATCH), GOOD)
    assert said == []
    _, said = feed(fresh(WATCH), GOOD, GOOD, GOOD)
    findings = (Finding(GOOD, 2, 2, 1.0),)
    assert said == [Verdict(WATCH, "backend.up", UP, findings, (None,))]


def test_a_verdict_carries_the_result_that_decided() -> None:
    tally, said = feed(fresh(WATCH, logged(UP)), GOOD, BAD, BAD, BAD, BAD)
    findings = (Finding(BAD, 3, 3, 2.0),)
    assert said == [Verdict(WATCH, "backend.down", DOWN, findings, (None,))]
    assert tally.said == DOWN


def test_a_verdict_survives_a_restart_and_is_not_said_again() -> None:
    _, said = feed(fresh(WATCH, logged(UP)), GOOD, GOOD, BAD, BAD, GOOD)
    assert said == []
    _, said = feed(fresh(WATCH, logged(DOWN)), BAD, BAD, BAD, BAD)
    assert said == []


def test_all_checks_must_pass_and_one_that_fails_decides() -> None:
    tally, said = feed(fresh(BOTH), GOOD, GOOD)
    assert said == []
    tally, said = feed(tally, GOOD, place=1)
    assert stands(said) == [("backend.up", UP)]
    tally, said = feed(tally, BAD, place=1)
    assert stands(said) == [("backend.down", DOWN)]
    assert said[0].findings == (Finding(GOOD, 2, 2, 1.0), Finding(BAD, 1, 1, 0.0))


def test_where_any_may_pass_the_evidence_lists_every_check() -> None:
    tally, _ = feed(fresh(under(BOTH, Policy(any_passes=True))), GOOD, GOOD)
    tally, said = feed(tally, BAD, place=1)
    assert said == []
    _, said = feed(tally, BAD, BAD, BAD)
    assert stands(said) == [("backend.down", DOWN)]
    assert [f.outcome for f in said[0].findings if f] == [BAD, BAD]


def test_a_backend_without_checks_is_up() -> None:
    watch = replace(WATCH, lookouts=())
    tally, verdict = rule(fresh(watch), 0.0)
    assert verdict == Verdict(watch, "backend.up", UP, (), ())
    assert rule(tally, 1.0) == (tally, None)
    assert rule(fresh(watch, logged(UP)), 0.0)[1] is None


# --- flap damping -----------------------------------------------------------------------------


def test_a_backend_that_flaps_stays_down_until_it_was_steady() -> None:
    tally, said = feed(fresh(DAMPED), GOOD, BAD, GOOD, BAD, GOOD, BAD, GOOD, GOOD)
    damped = Stand(up=False, damped=True)
    assert stands(said) == [
        ("backend.up", UP), ("backend.down", DOWN), ("backend.up", UP), ("backend.down", damped),
    ]  # fmt: skip
    assert said[-1].hold == Hold(LIMITS, 30.0)
    assert tally.due == 36.0  # the last change was at 6
    assert rule(tally, 35.9)[1] is None
    tally, verdict = rule(tally, 36.0)
    assert verdict is not None
    assert (verdict.stand, verdict.hold, tally.due) == (UP, None, None)


def test_a_hold_that_begins_as_it_comes_back_is_said_once() -> None:
    known = logged(DOWN, DAMPED)
    _, said = feed(fresh(DAMPED, known), GOOD, BAD, GOOD, GOOD, BAD, GOOD)
    damped = Stand(up=False, damped=True)
    assert stands(said) == [("backend.up", UP), ("backend.down", DOWN), ("backend.down", damped)]
    assert said[-1].findings[0] == Finding(GOOD, 1, 1, 0.0)


def test_a_hold_that_ends_while_its_checks_fail_says_that_they_do() -> None:
    tally, _ = feed(fresh(DAMPED), GOOD, BAD, GOOD, BAD)
    _, verdict = rule(tally, 33.0)
    assert verdict is not None
    assert (verdict.type, verdict.stand, verdict.hold) == ("backend.down", DOWN, None)


def test_a_hold_ends_when_the_config_wants_none() -> None:
    tally, _ = feed(fresh(DAMPED), GOOD, BAD, GOOD, BAD, GOOD)
    _, verdict = rule(replace(tally, watch=QUICK), 5.0)
    assert verdict is not None
    assert verdict.stand == UP


# --- the blast-radius guard -------------------------------------------------------------------


def test_what_the_guard_withholds_serves_with_the_least_weight() -> None:
    tally, said = feed(fresh(GUARDED, logged(UP, GUARDED)), BAD, BAD, may_go=False)
    assert stands(said) == [("backend.held", HELD)]
    assert said[0].guard == Guard(1, 60.0)
    _, said = feed(tally, GOOD, start=5.0, may_go=False)
    assert stands(said) == [("backend.up", UP)]
    _, verdict = rule(tally, 5.0)
    assert verdict is not None
    assert (verdict.type, verdict.stand, verdict.guard) == ("backend.down", DOWN, None)


def test_a_backend_without_weight_gets_none_by_being_withheld() -> None:
    watch = under(QUICK, Policy(weight=0, guard=Guard(0, 60.0)))
    _, said = feed(fresh(watch, logged(UP, watch)), BAD, may_go=False)
    assert said[0].stand == Stand(up=True, held=True, weight=0)


def test_what_never_served_is_not_withheld() -> None:
    _, said = feed(fresh(GUARDED), BAD, may_go=False)
    assert stands(said) == [("backend.down", DOWN)]


def test_the_guard_sees_who_fails_who_refuses_and_when_it_went() -> None:
    tally = fresh(GUARDED, logged(UP, GUARDED))
    assert member_of(tally, 3.0) == Member()
    failing = record(tally, 0, REFUSED, 3.0)
    assert member_of(failing, 3.0) == Member(3.0, refuses=True)
    gone, _ = rule(failing, 4.0)
    assert member_of(gone, 5.0) == Member(removed=4.0)
    back, _ = feed(gone, GOOD, start=6.0)
    assert member_of(back, 6.0) == Member()
    new_check = fresh(GUARDED, Known("other", WATCH.place, UP))
    assert member_of(new_check, 3.0) == Member()
    assert member_of(fresh(GUARDED, logged(DOWN, GUARDED), now=7.0), 8.0).removed == 7.0


def test_a_backend_that_flaps_is_to_go_though_its_checks_pass() -> None:
    tally, _ = feed(fresh(DAMPED, logged(UP, DAMPED)), BAD, GOOD, BAD, GOOD, may_go=False)
    assert member_of(tally, 4.0).failing == 0.0
    assert member_of(tally, 33.0).failing is None


# --- slow start and weights -------------------------------------------------------------------


def weights(said: list[Verdict]) -> list[int | None]:
    return [verdict.stand.weight for verdict in said]


def test_a_backend_that_comes_back_gets_its_weight_in_steps() -> None:
    tally, said = feed(fresh(SLOW, logged(DOWN, SLOW)), GOOD)
    while tally.due is not None:
        tally, verdict = rule(tally, tally.due)
        said += [verdict] if verdict else []
    assert weights(said) == [10, 19, 28, 37, 46, 55, 64, 73, 82, 91, None]
    assert [each.type for each in said] == ["backend.up"] + ["backend.weight"] * 10
    assert [each.stand.ramp for each in said][-2:] == [91, None]


@pytest.mark.parametrize(
    ("known", "joins", "ramps"),
    [
        pytest.param(None, False, False, id="the first verdict of a pool"),
        pytest.param(None, True, True, id="new in a pool at work"),
        pytest.param(UP, True, False, id="up by the log"),
        pytest.param(HELD, True, True, id="withheld so far"),
        pytest.param(DOWN, True, True, id="down so far"),
    ],
)
def test_who_starts_slowly(known: Stand | None, joins: bool, ramps: bool) -> None:
    tally = fresh(SLOW, logged(known, SLOW) if known else None, joins=joins)
    tally, _ = feed(tally, GOOD, GOOD)
    assert (tally.course.ramp is not None) is ramps


def test_a_slow_start_ends_with_the_backend() -> None:
    tally, said = feed(fresh(SLOW, logged(DOWN, SLOW)), GOOD, BAD, GOOD)
    assert weights(said) == [10, None, 10]
    assert tally.course.ramp is not None
    assert tally.course.ramp.began == 2.0


def test_what_checks_contribute_stands_in_place_of_the_configured_weight() -> None:
    watch = under(BOTH, Policy(weight=100))
    tally, _ = feed(fresh(watch), GOOD, Passed(0.1, 30))
    tally, said = feed(tally, Passed(0.1, 12), place=1)
    assert weights(said) == [42]
    _, said = feed(tally, BAD, BAD, BAD, start=PAUSE)
    assert weights(said) == [None]


def test_a_check_that_is_down_contributes_nothing() -> None:
    watch = under(BOTH, Policy(any_passes=True))
    tally, _ = feed(fresh(watch), Passed(0.1, 30), Passed(0.1, 30))
    tally, said = feed(tally, Passed(0.1, 12), place=1, start=10.0)
    assert weights(said) == [42]
    _, said = feed(tally, BAD, place=1, start=20.0)
    assert weights(said) == [30]


def test_a_weight_that_changes_at_every_probe_is_said_now_and_then_the_last_one() -> None:
    tally, said = feed(fresh(QUICK), *(Passed(0.1, n) for n in range(12)))
    assert [(v.type, v.stand.weight) for v in said] == [
        ("backend.up", 0), ("backend.weight", 5), ("backend.weight", 10),
    ]  # fmt: skip
    assert tally.due == 15.0
    tally, verdict = rule(tally, 15.0)
    assert verdict is not None
    assert (verdict.stand.weight, tally.due) == (11, None)


def test_slow_start_takes_its_share_of_what_checks_contribute() -> None:
    tally, said = feed(fresh(SLOW, logged(DOWN, SLOW)), Passed(0.1, 1000), Passed(0.1, 500))
    assert weights(said) == [100]
    assert tally.due == 5.0
    _, verdict = rule(tally, 10.0)
    assert verdict is not None
    assert verdict.stand.weight == 95


def test_where_any_may_pass_an_up_goes_with_the_only_check_that_gave_it() -> None:
    either = under(BOTH, Policy(any_passes=True))
    tally, said = feed(fresh(either), BAD, place=1)
    assert said == []  # before the first verdict it waits for the other one
    tally, said = feed(tally, GOOD, BAD, BAD, GOOD, place=1)
    assert [each.type for each in said] == ["backend.up", "backend.down", "backend.up"]
    tally, said = feed(tally, BAD, place=1, start=9.0)
    assert [each.type for each in said] == ["backend.down"]
    _, said = feed(tally, GOOD, GOOD, start=10.0)
    assert [each.type for each in said] == ["backend.up"]


def test_where_any_may_pass_the_changes_of_the_only_one_that_runs_are_counted() -> None:
    either = under(BOTH, Policy(any_passes=True, damping=LIMITS))
    tally, said = feed(fresh(either), GOOD, BAD, GOOD, BAD, place=1)
    assert [each.stand.damped for each in said] == [False, False, False, True]
    _, verdict = rule(tally, 33.0)
    assert verdict is not None
    assert verdict.stand == DOWN


def test_no_check_gives_weight_to_what_the_config_gives_none() -> None:
    _, said = feed(fresh(under(QUICK, Policy(weight=0))), Passed(0.1, 50))
    assert weights(said) == [None]


def test_nothing_is_due_while_no_check_has_a_say() -> None:
    slow = replace(BOTH, policy=Policy(weight=100, slow_start=100.0))
    tally, _ = feed(fresh(slow, logged(Stand(up=True, weight=10, ramp=10))), GOOD)
    assert tally.due is not None
    other = replace(PING, probe=replace(PING.probe, target=Target("192.0.2.1", 0, Origin("x"))))
    more = replace(slow, digest="other", lookouts=(slow.lookouts[0], other))
    tally, verdict = rule(begin(more, tally, None, joins=False, now=1.0), 1.0)
    assert (tally.due, verdict) == (None, None)


RESULTS = st.sampled_from([GOOD, BAD, REFUSED, OURS, Passed(0.1, 0), Passed(0.1, 70000)])
POLICIES = st.builds(
    Policy,
    any_passes=st.booleans(),
    weight=st.integers(0, 65535),
    slow_start=st.sampled_from([0.0, 1.0, 60.0]),
    damping=st.none() | st.just(LIMITS),
    guard=st.none() | st.just(Guard(1, 60.0)),
    assume_up=st.booleans(),
)
STEPS = st.lists(st.tuples(st.floats(0, 20), st.integers(0, 1), RESULTS, st.booleans()))


@given(POLICIES, STEPS)
def test_whatever_comes_it_says_no_stand_twice_and_always_one_that_the_table_can_hold(
    policy: Policy, steps: list[tuple[float, int, Outcome, bool]]
) -> None:
    tally, now = fresh(under(BOTH, policy)), 0.0
    said: list[tuple[float, Verdict]] = []
    for pause, place, result, may_go in steps:
        now += pause
        tally, verdict = rule(record(tally, place, result, now), now, may_go=may_go)
        assert rule(tally, now, may_go=may_go) == (tally, None)
        assert tally.due is None or tally.due > now
        if verdict is not None:
            said.append((now, verdict))
            stand = verdict.stand
            assert stand.weight is None or 0 <= stand.weight <= 65535
            assert stand.up or stand.weight is None
            assert not stand.held or (stand.weight in {0, 1} and not may_go)
            assert not (stand.held and stand.damped)
    for (before, first), (after, second) in pairwise(said):
        assert not second.stand.says_as(first.stand)
        if second.type == "backend.weight" and second.stand.ramp == first.stand.ramp:
            assert after >= before + PAUSE

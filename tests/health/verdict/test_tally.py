from dataclasses import replace

import pytest
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
    under,
)

from libra_health.outcome import Outcome, Passed
from libra_health.verdict.damping import Damping
from libra_health.verdict.debounce import Standing
from libra_health.verdict.policy import Policy
from libra_health.verdict.stand import Stand
from libra_health.verdict.tally import Finding, condemn, record, refuses, standing, stirs

ANY = Policy(any_passes=True)


def test_a_streak_against_the_standing_is_no_evidence() -> None:
    tally, _ = feed(fresh(WATCH), GOOD, GOOD)
    made = (Finding(GOOD, 2, 2, 1.0),)
    for result in (BAD, BAD, GOOD):
        tally, _ = feed(tally, result, start=9.0)
        assert tally.findings == made
    assert tally.debounces[0].streak == 0


def test_what_refuses_goes_on_to_though_a_pass_came_between() -> None:
    tally, _ = feed(fresh(WATCH), REFUSED, REFUSED, REFUSED, GOOD, BAD)
    assert refuses(tally)
    silent, _ = feed(fresh(WATCH), BAD, BAD, BAD, GOOD, BAD)
    assert silent.findings == (Finding(BAD, 3, 3, 2.0),)


def test_trouble_of_our_own_counts_for_nothing() -> None:
    before = fresh(WATCH)
    assert record(before, 0, OURS, 1.0) is before
    tally, said = feed(fresh(WATCH, logged(Stand(up=True))), BAD, OURS, BAD, OURS, OURS)
    assert said == []
    assert tally.debounces[0].streak == -2


def test_a_result_that_changes_nothing_makes_no_new_tally() -> None:
    tally, _ = feed(fresh(WATCH), GOOD, GOOD, GOOD)
    assert record(tally, 0, Passed(0.5), 9.0) is tally


def test_the_first_result_after_a_restart_is_evidence_though_it_moves_nothing() -> None:
    tally, said = feed(fresh(WATCH, logged(Stand(up=False))), BAD)
    assert said == []
    assert tally.findings[0] is not None
    assert tally.findings[0].outcome == BAD


def test_of_several_checks_all_must_pass_or_any_one() -> None:
    tally, _ = feed(fresh(BOTH), BAD, place=1)
    assert standing(tally) is Standing.DOWN
    either, _ = feed(fresh(under(BOTH, ANY)), BAD, place=1)
    assert standing(either) is Standing.UNKNOWN
    either, _ = feed(either, GOOD, GOOD)
    assert standing(either) is Standing.UP
    either, _ = feed(either, BAD, BAD, BAD)
    assert standing(either) is Standing.DOWN


@pytest.mark.parametrize(
    ("results", "definite", "with_any"),
    [
        pytest.param(((BAD,) * 3, (BAD,)), False, False, id="none refuses"),
        pytest.param(((REFUSED,) * 3, (GOOD,)), True, False, id="one refuses, the other passes"),
        pytest.param(((REFUSED,) * 3, (BAD,)), True, False, id="one refuses, the other is silent"),
        pytest.param(((REFUSED,) * 3, (REFUSED,)), True, True, id="both refuse"),
        pytest.param(((REFUSED,) * 2, (GOOD,)), False, False, id="not often enough yet"),
        pytest.param(((BAD,) * 3 + (REFUSED,), (BAD,)), True, False, id="refused while down"),
        pytest.param(((REFUSED,) * 3 + (BAD,), (BAD,)), True, False, id="once refused it stays"),
    ],
)
def test_a_refusal_is_definite_where_it_decides(
    results: tuple[tuple[Outcome, ...], tuple[Outcome, ...]], definite: bool, with_any: bool
) -> None:
    for watch, wanted in ((BOTH, definite), (under(BOTH, ANY), with_any)):
        tally = fresh(watch)
        for place, each in enumerate(results):
            tally, _ = feed(tally, *each, place=place)
        assert refuses(tally) is wanted


def test_changes_are_counted_only_where_damping_is_asked_for() -> None:
    limits = Damping(2, 60.0, 60.0)
    plain, _ = feed(fresh(QUICK), GOOD, BAD, GOOD)
    assert plain.course.flaps.times == ()
    damped, _ = feed(fresh(under(QUICK, Policy(damping=limits))), GOOD, BAD, GOOD)
    assert damped.course.flaps.times == (1.0, 2.0)  # the first verdict is no change


def test_what_a_check_contributes_is_what_its_last_pass_said() -> None:
    tally, _ = feed(fresh(BOTH), Passed(0.1, 30), Passed(0.1, 40))
    assert tally.weights == (40, None)
    tally, _ = feed(tally, BAD)
    assert tally.weights == (40, None)
    tally, _ = feed(tally, GOOD)
    assert tally.weights == (None, None)


def test_the_weight_of_the_log_holds_until_every_check_has_spoken() -> None:
    known = logged(Stand(up=True, weight=80), BOTH)
    tally = fresh(BOTH, known)
    tally = record(tally, 0, Passed(0.1, 30), 0.0)
    assert (tally.unheard, tally.course.recalled) == (frozenset({1}), 80)
    tally = record(tally, 1, GOOD, 0.0)
    assert (tally.unheard, tally.course.recalled) == (frozenset(), None)


def test_a_failure_below_fall_leaves_the_weight_of_the_log() -> None:
    tally, said = feed(fresh(WATCH, logged(Stand(up=True, weight=10))), BAD, BAD, Passed(0.1, 10))
    assert said == []
    assert (tally.unheard, tally.weights) == (frozenset(), (10,))
    tally, said = feed(fresh(WATCH, logged(Stand(up=True, weight=10))), BAD, BAD, BAD)
    assert [each.type for each in said] == ["backend.down"]
    assert tally.unheard == frozenset()


@pytest.mark.parametrize(
    ("before", "result", "stirred"),
    [
        pytest.param((), GOOD, True, id="the first result"),
        pytest.param((GOOD,), GOOD, True, id="it comes up"),
        pytest.param((GOOD, GOOD), BAD, False, id="a failure that does not decide"),
        pytest.param((GOOD, GOOD), Passed(0.1, 5), True, id="another weight"),
        pytest.param((BAD,) * 3, REFUSED, True, id="it refuses now"),
        pytest.param((BAD,) * 3, GOOD, False, id="a pass that does not decide"),
    ],
)
def test_what_can_change_what_is_said_is_told_from_what_cannot(
    before: tuple[Outcome, ...], result: Outcome, stirred: bool
) -> None:
    tally, _ = feed(fresh(WATCH), *before)
    assert stirs(tally, record(tally, 0, result, 9.0), 0) is stirred


def test_a_lookout_with_another_label_is_the_same_watch_for_nobody() -> None:
    assert replace(QUICK, lookouts=(replace(PING, label="x"),)) != QUICK


def test_what_is_condemned_is_down_at_once_whatever_fall_says() -> None:
    tally, _ = feed(fresh(BOTH), GOOD, GOOD)
    tally, _ = feed(tally, GOOD, place=1)
    gone = condemn(tally, 0, REFUSED, 9.0)
    assert standing(gone) is Standing.DOWN
    assert gone.findings[0] == Finding(REFUSED, 1, 1, REFUSED.latency)
    assert gone.findings[1] == tally.findings[1]
    assert refuses(gone)
    assert condemn(gone, 0, REFUSED, 9.1) is gone
    back, _ = feed(gone, GOOD, GOOD)
    assert standing(back) is Standing.UP


def test_one_of_several_may_pass_though_another_is_condemned() -> None:
    either = condemn(fresh(under(BOTH, ANY)), 0, REFUSED, 9.0)
    assert standing(either) is Standing.UNKNOWN
    assert 0 not in either.unheard
    either, _ = feed(either, GOOD, place=1)
    assert standing(either) is Standing.UP


def test_a_change_by_a_hold_counts_for_flap_damping() -> None:
    damped = fresh(under(WATCH, Policy(damping=Damping(2, 60.0, 60.0))))
    tally, _ = feed(damped, GOOD, GOOD)
    assert condemn(tally, 0, REFUSED, 9.0).course.flaps != tally.course.flaps


def test_what_is_down_for_another_reason_is_known_to_refuse_once_condemned() -> None:
    tally, _ = feed(fresh(WATCH), BAD, BAD, BAD)
    assert not refuses(tally)
    assert refuses(condemn(tally, 0, REFUSED, 9.0))

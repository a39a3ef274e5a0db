from dataclasses import replace

import pytest
from tests.health.watching import (
    BAD,
    BOTH,
    GOOD,
    TCP,
    WATCH,
    feed,
    fresh,
    logged,
    stands,
    under,
)

from libra_health.outcome import Outcome, Passed
from libra_health.verdict.blast import Guard
from libra_health.verdict.damping import CALM, Damping
from libra_health.verdict.debounce import Standing
from libra_health.verdict.policy import Policy
from libra_health.verdict.ramp import share
from libra_health.verdict.ruling import member_of, rule
from libra_health.verdict.stand import Known, Stand
from libra_health.verdict.taking_up import begin, recall
from libra_health.verdict.tally import Tally, record, standing
from libra_health.wire import Target

UP, DOWN = Stand(up=True), Stand(up=False)
SLOW = Policy(weight=100, slow_start=100.0)
FLAPPING = Policy(damping=Damping(2, 60.0, 30.0))


def again(watch: object, tally: Tally, known: Known | None = None, now: float = 9.0) -> Tally:
    return begin(watch, tally, known, joins=False, now=now)  # type: ignore[arg-type]  # a Watch


def test_an_apply_that_changes_nothing_disturbs_nothing() -> None:
    tally, _ = feed(fresh(WATCH, logged(UP)), BAD, BAD)
    assert again(replace(WATCH), tally, logged(DOWN)) is tally


def test_what_asks_the_same_keeps_its_standing_under_a_new_digest() -> None:
    tally, _ = feed(fresh(WATCH), GOOD, GOOD)
    slower = replace(TCP, probe=replace(TCP.probe, every=5.0))
    watch = replace(WATCH, digest="other", lookouts=(slower,))
    after, verdict = rule(again(watch, tally, logged(UP)), 9.0)
    assert verdict is not None
    assert (verdict.stand, verdict.findings) == (UP, tally.findings)
    assert after.unheard == frozenset()


def test_another_address_inherits_nothing() -> None:
    tally, _ = feed(fresh(WATCH), GOOD, GOOD)
    elsewhere = replace(TCP, probe=replace(TCP.probe, target=Target("192.0.2.9", 80)))
    moved = replace(WATCH, address="192.0.2.9", digest="other", lookouts=(elsewhere,))
    after = again(moved, tally, logged(UP))
    assert standing(after) is Standing.UNKNOWN
    assert after.course.was_in is None


def test_another_check_of_the_same_server_decides_anew_but_knows_that_it_served() -> None:
    tally, _ = feed(fresh(WATCH), GOOD, GOOD)
    other = replace(TCP, probe=replace(TCP.probe, target=Target("192.0.2.1", 8080)))
    after = again(replace(WATCH, digest="other", lookouts=(other,)), tally, logged(UP))
    assert standing(after) is Standing.UNKNOWN
    assert after.course.was_in is True
    assert after.said is None


@pytest.mark.parametrize(
    ("known", "joins", "assume_up", "was_in"),
    [
        pytest.param(None, False, False, None, id="nothing is known"),
        pytest.param(None, True, False, False, id="new in a pool at work"),
        pytest.param(None, True, True, True, id="assumed up"),
        pytest.param(logged(UP), True, False, True, id="up by the log"),
        pytest.param(logged(DOWN), False, True, False, id="down by the log"),
        pytest.param(Known("old", WATCH.place, UP), False, False, True, id="up by another check"),
        pytest.param(
            Known("old", ("192.0.2.9", 80, "tcp"), UP), True, False, False, id="another server"
        ),
    ],
)
def test_whether_it_served_is_told_by_the_log(
    known: Known | None, joins: bool, assume_up: bool, was_in: bool | None
) -> None:
    watch = under(WATCH, Policy(assume_up=assume_up))
    assert fresh(watch, known, joins=joins).course.was_in is was_in


@pytest.mark.parametrize(
    ("results", "known", "says"),
    [
        pytest.param([BAD], UP, None, id="undecided takes the log's word"),
        pytest.param([GOOD, GOOD], UP, None, id="agreed"),
        pytest.param([BAD, BAD, BAD], UP, False, id="settled otherwise meanwhile"),
        pytest.param([GOOD, GOOD], None, True, id="the log knows nothing"),
    ],
)
def test_a_start_without_the_log_is_reconciled_with_it(
    results: list[Outcome], known: Stand | None, says: bool | None
) -> None:
    tally, _ = feed(fresh(WATCH), *results)
    held = logged(known) if known else None
    after, verdict = rule(recall(tally, held, joins=False, now=9.0), 9.0)
    assert (verdict.stand.up if verdict else None) is says
    assert after.said == (known if says is None else Stand(up=says))


def test_the_log_heard_late_forgets_no_change_that_was_counted() -> None:
    tally, _ = feed(fresh(under(BOTH, FLAPPING)), GOOD, GOOD)
    tally, _ = feed(tally, GOOD, BAD, place=1, start=2.0)
    assert recall(tally, None, joins=False, now=9.0).course.flaps.times == (3.0,)


def test_a_restart_in_a_slow_start_goes_on_where_it_was() -> None:
    watch = under(WATCH, SLOW)
    known = logged(Stand(up=True, weight=55, ramp=55), watch)
    tally = fresh(watch, known, now=500.0)
    assert tally.course.ramp is not None
    assert share(tally.course.ramp, 500.0) == 55
    tally, verdict = rule(tally, 500.0)
    assert verdict is None
    assert tally.due == pytest.approx(510.0)
    tally, verdict = rule(tally, 510.0)
    assert verdict is not None
    assert (verdict.type, verdict.stand.weight) == ("backend.weight", 64)


def test_a_slow_start_that_the_config_takes_back_is_over() -> None:
    watch = under(WATCH, Policy(weight=100))
    _, verdict = rule(fresh(watch, logged(Stand(up=True, weight=55, ramp=55))), 0.0)
    assert verdict is not None
    assert (verdict.type, verdict.stand) == ("backend.weight", UP)


def test_a_weight_that_a_check_gave_survives_a_restart() -> None:
    tally, verdict = rule(fresh(WATCH, logged(Stand(up=True, weight=80))), 0.0)
    assert verdict is None
    tally, said = feed(tally, Passed(0.1, 80))
    assert said == []
    _, said = feed(tally, Passed(0.1, 20), start=1.0)
    assert stands(said) == [("backend.weight", Stand(up=True, weight=20))]


def test_a_hold_by_damping_survives_a_restart() -> None:
    watch = under(WATCH, FLAPPING)
    tally, said = feed(fresh(watch, logged(Stand(up=False, damped=True))), GOOD, GOOD, GOOD)
    assert said == []
    assert tally.due == 31.0  # its checks changed their mind at 1
    _, verdict = rule(tally, 31.0)
    assert verdict is not None
    assert verdict.stand == UP


def test_a_restart_says_nothing_anew_of_what_flaps_and_is_withheld() -> None:
    watch = under(WATCH, replace(FLAPPING, guard=Guard(1, 60.0)))
    known = Known(watch.digest, watch.place, Stand(up=True, held=True, weight=1), flaps=True)
    tally, verdict = rule(fresh(watch, known), 0.0, may_go=False)
    assert verdict is None
    assert tally.course.flaps.is_held


def test_a_withheld_backend_is_failing_after_a_restart_too() -> None:
    tally = fresh(WATCH, logged(Stand(up=True, held=True, weight=1)))
    assert standing(tally) is Standing.DOWN
    _, verdict = rule(tally, 0.0, may_go=False)
    assert verdict is None


def test_other_limits_go_on_with_what_was_counted() -> None:
    watch = under(WATCH, replace(FLAPPING, slow_start=10.0, weight=100))
    tally, _ = feed(fresh(watch, logged(DOWN)), GOOD, GOOD)
    assert tally.course.ramp is not None
    assert tally.course.flaps.times == (1.0,)
    slower = again(under(WATCH, replace(FLAPPING, slow_start=100.0)), tally, logged(UP), now=6.0)
    assert slower.course.ramp is not None
    assert share(slower.course.ramp, 6.0) == 55
    plain = again(WATCH, tally, logged(UP))
    assert (plain.course.ramp, plain.course.flaps) == (None, CALM)


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(Stand(up=True, held=True, weight=1), id="no guard withholds it any more"),
        pytest.param(Stand(up=False, damped=True), id="no damping holds it any more"),
    ],
)
def test_what_the_log_holds_stands_until_a_check_bears_out_another_word(known: Stand) -> None:
    tally, verdict = rule(fresh(WATCH, logged(known)), 0.0)
    assert (verdict, tally.said, member_of(tally, 0.0).failing) == (None, known, None)
    _, said = feed(tally, GOOD, BAD)
    assert stands(said) == [("backend.down", DOWN)]
    assert said[0].findings[0] is not None


ANY = Policy(any_passes=True)


@pytest.mark.parametrize(
    ("policy", "stand", "checks", "wanted"),
    [
        pytest.param(Policy(), DOWN, {"tcp": True, "icmp": False}, "UP DOWN", id="each its own"),
        pytest.param(Policy(), DOWN, {"icmp": False}, "DOWN DOWN", id="one did not tell"),
        pytest.param(Policy(), UP, {"icmp": True}, "UP UP", id="all must pass, so all did"),
        pytest.param(Policy(), UP, {"icmp": False}, "UP UP", id="it contradicts the verdict"),
        pytest.param(ANY, UP, {"icmp": True}, "UNKNOWN UP", id="one alone may have given the up"),
        pytest.param(ANY, UP, {"icmp": False}, "UP DOWN", id="the other one gave it"),
        pytest.param(ANY, UP, {}, "UP UP", id="nothing is told"),
    ],
)
def test_after_a_restart_each_check_is_what_the_evidence_tells(
    policy: Policy, stand: Stand, checks: dict[str, bool], wanted: str
) -> None:
    known = replace(logged(stand), checks=tuple(checks.items()))
    tally = fresh(under(BOTH, policy), known)
    assert " ".join(each.standing.name for each in tally.debounces) == wanted


def test_after_a_restart_the_one_that_was_down_brings_it_back() -> None:
    tally, said = feed(fresh(BOTH), GOOD, GOOD)
    tally, said = feed(tally, BAD, place=1)
    _, said = feed(fresh(BOTH, said[-1].known), GOOD, place=1)
    assert stands(said) == [("backend.up", UP)]


def test_what_a_result_bears_out_was_not_observed_before_the_start() -> None:
    started = again(WATCH, fresh(WATCH), None, 1000.0)
    tally = recall(started, logged(UP), joins=False, now=1000.0)
    finding = record(tally, 0, Passed(0.1), 1002.0).findings[0]
    assert finding is not None
    assert finding.observed == 2.0

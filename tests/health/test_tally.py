from dataclasses import replace

import pytest

from libra_health.checks import IcmpSpec, TcpSpec
from libra_health.debounce import Standing
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.probes import Lookout, Probe, Watch
from libra_health.verdicts import Finding, Tally, Verdict, begin, recall, record, standing
from libra_health.wire import Target

TCP = Lookout(Probe(Target("192.0.2.1", 80), TcpSpec(), 1.0, 0.5), 2, 3, "tcp")
PING = Lookout(Probe(Target("192.0.2.1"), IcmpSpec(), 1.0, 0.5), 1, 1, "icmp")
WATCH = Watch(("web", "w1"), "192.0.2.1", 80, "tcp", "digest", (TCP,))
BOTH = replace(WATCH, lookouts=(TCP, PING))
GOOD, BAD = Passed(0.01), Failed(Reason.REFUSED, "ECONNREFUSED", 0.02)
OURS = Errored(Reason.DESCRIPTORS, "EMFILE")


def fresh(watch: Watch, *, logged: bool | None = None) -> Tally:
    tally, verdict = begin(watch, logged=logged)
    assert verdict is None
    return tally


def feed(tally: Tally, *results: Outcome, place: int = 0) -> tuple[Tally, list[Verdict]]:
    said = []
    for second, result in enumerate(results):
        tally, verdict = record(tally, place, result, float(second))
        said += [verdict] if verdict else []
    return tally, said


def test_the_first_verdict_takes_as_many_results_as_any_other() -> None:
    _, said = feed(fresh(WATCH), GOOD)
    assert said == []
    _, said = feed(fresh(WATCH), GOOD, GOOD, GOOD)
    assert said == [Verdict(WATCH, up=True, findings=(Finding(GOOD, 2, 2, 1.0),))]


def test_a_verdict_carries_the_result_that_decided() -> None:
    tally, said = feed(fresh(WATCH, logged=True), GOOD, BAD, BAD, BAD, BAD)
    assert said == [Verdict(WATCH, up=False, findings=(Finding(BAD, 3, 3, 2.0),))]
    assert tally.said is False


def test_a_verdict_survives_a_restart_and_is_not_said_again() -> None:
    _, said = feed(fresh(WATCH, logged=True), GOOD, GOOD, BAD, BAD, GOOD)
    assert said == []
    _, said = feed(fresh(WATCH, logged=False), BAD, BAD, BAD, BAD)
    assert said == []


def test_an_interrupted_streak_leaves_the_old_evidence() -> None:
    tally, _ = feed(fresh(WATCH), GOOD, GOOD, BAD, GOOD)
    assert tally.findings == (Finding(BAD, 1, 3, 0.0),)
    assert tally.debounces[0].streak == 0


def test_trouble_of_our_own_counts_for_nothing() -> None:
    tally, said = feed(fresh(WATCH, logged=True), BAD, OURS, BAD, OURS, OURS)
    assert said == []
    assert tally.debounces[0].streak == -2


def test_all_checks_must_pass_and_one_that_fails_decides() -> None:
    tally, said = feed(fresh(BOTH), GOOD, GOOD)
    assert said == []
    assert standing(tally) is Standing.UNKNOWN
    tally, said = feed(tally, GOOD, place=1)
    assert [verdict.up for verdict in said] == [True]
    tally, said = feed(tally, BAD, place=1)
    assert [verdict.up for verdict in said] == [False]
    assert said[0].findings == (Finding(GOOD, 2, 2, 1.0), Finding(BAD, 1, 1, 0.0))


def test_a_backend_without_checks_is_up() -> None:
    watch = replace(WATCH, lookouts=())
    tally, verdict = begin(watch)
    assert verdict == Verdict(watch, up=True, findings=())
    assert begin(watch, tally) == (tally, None)
    assert begin(watch, logged=True)[1] is None


def test_an_apply_that_changes_nothing_disturbs_nothing() -> None:
    tally, _ = feed(fresh(WATCH, logged=True), BAD, BAD)
    assert begin(replace(WATCH), tally, logged=False) == (tally, None)


def test_what_asks_the_same_keeps_its_standing_under_a_new_digest() -> None:
    tally, _ = feed(fresh(WATCH), GOOD, GOOD)
    slower = replace(TCP, probe=replace(TCP.probe, every=5.0))
    watch = replace(WATCH, digest="other", lookouts=(slower,))
    _, verdict = begin(watch, tally)
    assert verdict == Verdict(watch, up=True, findings=tally.findings)


def test_another_address_inherits_nothing() -> None:
    tally, _ = feed(fresh(WATCH), GOOD, GOOD)
    elsewhere = replace(TCP, probe=replace(TCP.probe, target=Target("192.0.2.9", 80)))
    moved, verdict = begin(replace(WATCH, digest="other", lookouts=(elsewhere,)), tally)
    assert verdict is None
    assert standing(moved) is Standing.UNKNOWN


def test_the_same_digest_is_not_said_twice() -> None:
    tally, _ = feed(fresh(WATCH), GOOD, GOOD)
    renamed = replace(WATCH, lookouts=(replace(TCP, label="connect"),))
    after, verdict = begin(renamed, tally)
    assert verdict is None
    assert after.said is True


@pytest.mark.parametrize(
    ("results", "logged", "says"),
    [
        pytest.param([BAD], True, None, id="undecided takes the log's word"),
        pytest.param([GOOD, GOOD], True, None, id="agreed"),
        pytest.param([BAD, BAD, BAD], True, False, id="settled otherwise meanwhile"),
    ],
)
def test_a_start_without_the_log_is_reconciled_with_it(
    results: list[Outcome],
    logged: bool,
    says: bool | None,
) -> None:
    tally, _ = feed(fresh(WATCH), *results)
    after, verdict = recall(tally, logged=logged)
    assert (verdict.up if verdict else None) is says
    assert after.said is (logged if says is None else says)

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import pytest

from libra_health.checks import TcpSpec
from libra_health.outcome import DETAIL_LIMIT, Failed, Passed, Reason
from libra_health.probes import Probe
from libra_health.verdict.blast import Guard
from libra_health.verdict.damping import Damping
from libra_health.verdict.evidence import UNCHECKED, known_of, state_of
from libra_health.verdict.policy import Policy
from libra_health.verdict.ruling import Hold, Verdict
from libra_health.verdict.stand import Known, Stand
from libra_health.verdict.tally import Finding
from libra_health.verdict.vantage import Vantage
from libra_health.verdict.watch import Lookout, Watch
from libra_health.wire import Target
from libra_schemas.events import BackendState, Evidence

TCP = Lookout(Probe(Target("192.0.2.1", 80), TcpSpec(), 1.0, 0.5), 2, 3, "tcp 192.0.2.1:80")
WATCH = Watch(("web", "w1"), "192.0.2.1", 80, "tcp", "0" * 64, (TCP,))
NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
UP, DOWN = Stand(up=True), Stand(up=False)
PASSED = Finding(Passed(0.1), 2, 2, 1.0)


def verdict(stand: Stand, *findings: Finding | None, watch: Watch = WATCH, **more: Any) -> Verdict:
    weights = more.pop("weights", (None,) * len(findings))
    return Verdict(watch, "backend.up", stand, findings, weights, **more)


def state(*, up: bool, evidence: tuple[Evidence, ...]) -> BackendState:
    return BackendState(
        service="web",
        backend="w1",
        address=ip_address("192.0.2.1"),
        port=80,
        protocol="tcp",
        target="0" * 64,
        up=up,
        evidence=evidence,
    )


@pytest.mark.parametrize(
    ("finding", "evidence"),
    [
        pytest.param(
            Finding(Failed(Reason.REFUSED, "ECONNREFUSED", 0.0012), 3, 3, 2.0),
            Evidence(
                probe="tcp 192.0.2.1:80",
                reason="refused",
                detail="ECONNREFUSED",
                attempt=3,
                needed=3,
                took_ms=1.2,
                observed_ms=2000,
            ),
            id="failed",
        ),
        pytest.param(
            Finding(Passed(0.0012), 2, 2, 1.0),
            Evidence(
                probe="tcp 192.0.2.1:80",
                reason="passed",
                attempt=2,
                needed=2,
                took_ms=1.2,
                observed_ms=1000,
            ),
            id="passed",
        ),
    ],
)
def test_a_verdict_is_the_whole_state_with_its_evidence(
    finding: Finding, evidence: Evidence
) -> None:
    assert state_of(verdict(DOWN, finding), NOON) == state(up=False, evidence=(evidence,))


def test_a_check_that_said_nothing_new_is_left_out() -> None:
    both = Watch(WATCH.key, "192.0.2.1", 80, "tcp", "0" * 64, (TCP, TCP))
    found = state_of(verdict(UP, None, PASSED, watch=both), NOON)
    assert len(found.evidence) == 1


def test_a_backend_without_checks_says_so() -> None:
    bare = Watch(WATCH.key, "192.0.2.1", 80, "tcp", "0" * 64, ())
    assert state_of(verdict(UP, watch=bare), NOON) == state(up=True, evidence=(UNCHECKED,))


def test_a_weight_says_which_check_gave_it_and_how_far_a_slow_start_is() -> None:
    stand = Stand(up=True, weight=22, ramp=55)
    found = state_of(verdict(stand, PASSED, weights=(40,)), NOON)
    assert (found.weight, found.ramp, found.evidence[0].weight) == (22, 55, 40)


def test_what_a_passing_check_saw_is_told() -> None:
    found = state_of(verdict(UP, Finding(Passed(0.1, detail="load 3"), 2, 2, 1.0)), NOON)
    assert found.evidence[0].detail == "load 3"


def test_a_detail_of_any_length_is_cut_to_what_the_log_takes() -> None:
    long = Failed(Reason.STATUS, "404, wanted " + " or ".join(map(str, range(200, 600))), 0.1)
    found = state_of(verdict(DOWN, Finding(long, 3, 3, 2.0)), NOON)
    detail = found.evidence[0].detail
    assert len(detail) == DETAIL_LIMIT
    assert detail.startswith("404, wanted 200 or 201")


def test_a_hold_by_damping_says_why_and_until_when() -> None:
    held = verdict(Stand(up=False, damped=True), PASSED, hold=Hold(Damping(5, 60.0, 90.0), 75.0))
    _, why = state_of(held, NOON).evidence
    assert (why.probe, why.reason) == ("damping", "damped")
    assert why.detail == ("5 changes in 1m, until 12:01:15 UTC, or 90s after a further change")


def test_what_the_guard_withholds_says_how_much_may_go() -> None:
    failed = Finding(Failed(Reason.TIMEOUT, "no answer", 0.5), 3, 3, 2.0)
    held = verdict(Stand(up=True, held=True, weight=1), failed, guard=Guard(2, 300.0))
    found = state_of(held, NOON)
    assert (found.up, found.held, found.weight) == (True, True, 1)
    assert found.evidence[1].detail == "health may take out 2 of the pool in 5m"


@pytest.mark.parametrize(
    "stand",
    [
        UP,
        DOWN,
        Stand(up=True, held=True, weight=1),
        Stand(up=True, weight=22, ramp=55),
        Stand(up=False, damped=True),
    ],
)
def test_what_the_log_was_told_is_read_back(stand: Stand) -> None:
    hold = Hold(Damping(5, 60.0, 60.0), 60.0) if stand.damped else None
    fell = verdict(stand, PASSED, hold=hold)
    known = known_of(state_of(fell, NOON))
    assert known == fell.known
    assert known == Known(WATCH.digest, WATCH.place, stand, stand.damped, ((TCP.label, True),))
    assert known.stand.ramp == stand.ramp


@pytest.mark.parametrize("is_last", [False, True])
def test_votes_are_listed_in_the_evidence(is_last: bool) -> None:
    watch = replace(WATCH, policy=Policy(vantage=Vantage("a", ("b", "c")), guard=Guard(0, 9.0)))
    stand = Stand(up=is_last, held=is_last, seen=False)
    votes = (("a", False), ("b", None), ("c", None))
    said = verdict(
        stand, PASSED, watch=watch, votes=votes, is_last=is_last, guard=watch.policy.guard
    )
    data = state_of(said, NOON)
    assert data.seen is False
    voted, *rest = [each for each in data.evidence if each.probe == "vantage"]
    assert [(vote.node, vote.up) for vote in voted.votes] == list(votes)
    assert voted.reason == "voted"
    assert [each.reason for each in rest] == (["minority"] if is_last else [])
    assert ("withheld" in [each.reason for each in data.evidence]) is not is_last
    assert known_of(data).stand == stand


def test_what_flaps_and_is_withheld_is_not_read_back_as_out() -> None:
    held = Stand(up=True, held=True, weight=1)
    fell = verdict(held, PASSED, hold=Hold(Damping(5, 60.0, 60.0), 60.0), guard=Guard(1, 60.0))
    known = known_of(state_of(fell, NOON))
    assert known == fell.known
    assert (known.stand, known.flaps) == (held, True)

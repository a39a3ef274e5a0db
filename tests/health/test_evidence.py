from ipaddress import ip_address

import pytest

from libra_health.checks import TcpSpec
from libra_health.evidence import UNCHECKED, event_type, state_of
from libra_health.outcome import Failed, Passed, Reason
from libra_health.probes import Lookout, Probe, Watch
from libra_health.verdicts import Finding, Verdict
from libra_health.wire import Target
from libra_schemas.events import BackendState, Evidence

TCP = Lookout(Probe(Target("192.0.2.1", 80), TcpSpec(), 1.0, 0.5), 2, 3, "tcp 192.0.2.1:80")
WATCH = Watch(("web", "w1"), "192.0.2.1", 80, "tcp", "0" * 64, (TCP,))


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
    verdict = Verdict(WATCH, up=False, findings=(finding,))
    assert event_type(verdict) == "backend.down"
    assert state_of(verdict) == state(up=False, evidence=(evidence,))


def test_a_check_that_said_nothing_new_is_left_out() -> None:
    both = Watch(WATCH.key, "192.0.2.1", 80, "tcp", "0" * 64, (TCP, TCP))
    found = state_of(Verdict(both, up=True, findings=(None, Finding(Passed(0.1), 2, 2, 1.0))))
    assert len(found.evidence) == 1


def test_a_backend_without_checks_says_so() -> None:
    bare = Watch(WATCH.key, "192.0.2.1", 80, "tcp", "0" * 64, ())
    verdict = Verdict(bare, up=True, findings=())
    assert event_type(verdict) == "backend.up"
    assert state_of(verdict) == state(up=True, evidence=(UNCHECKED,))

import errno

import pytest

from libra_health.checks.tls import TlsSpec, start, step
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.wire import (
    Connect,
    Connected,
    DeadlineReached,
    Effects,
    Ended,
    Input,
    Received,
    Refused,
    Secured,
    StartTls,
    Target,
    Tls,
    Unasked,
    Unsecured,
)

TARGET = Target("192.0.2.1", 443)
TLS = Tls("www.example.net")
SPEC = TlsSpec(TLS, 7 * 86400.0)


def play(*inputs: Input) -> Effects | Outcome:
    state, result = start(TARGET, SPEC, 10.0)
    last: Effects | Outcome = result
    for event in inputs:
        state, last = step(state, event, 10.25)
    return last


def test_a_check_connects_and_shakes_hands() -> None:
    assert play() == (Connect(TARGET, abort=False),)
    assert play(Connected()) == (StartTls(TLS),)


def test_a_handshake_passes_and_says_what_was_met() -> None:
    assert play(Connected(), Secured(20 * 86400.0, "TLSv1.3")) == Passed(
        0.25, detail="TLSv1.3, certificate expires in 20 days"
    )
    assert play(Connected(), Secured(None, "TLSv1.2")) == Passed(0.25, detail="TLSv1.2")


@pytest.mark.parametrize(
    ("inputs", "reason", "detail"),
    [
        pytest.param([DeadlineReached()], Reason.TIMEOUT, "no connection in time", id="connect"),
        pytest.param(
            [Connected(), DeadlineReached()], Reason.TIMEOUT, "handshake not done", id="silent"
        ),
        pytest.param([Connected(), Ended()], Reason.CLOSED, "within the", id="closed"),
        pytest.param(
            [Connected(), Refused(errno.ECONNRESET, immediate=False)],
            Reason.RESET,
            "ECONNRESET",
            id="reset",
        ),
        pytest.param(
            [Connected(), Unsecured(Reason.CERTIFICATE, "expired")],
            Reason.CERTIFICATE,
            "expired",
            id="certificate",
        ),
        pytest.param(
            [Connected(), Secured(86400.0, "TLSv1.3")], Reason.EXPIRY, "in 1 day,", id="expiry"
        ),
    ],
)
def test_each_way_to_fail_has_its_reason(inputs: list[Input], reason: Reason, detail: str) -> None:
    outcome = play(*inputs)
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.latency) == (reason, 0.25)
    assert detail in outcome.detail


def test_a_file_of_ours_that_is_wrong_is_our_trouble() -> None:
    assert isinstance(play(Connected(), Unsecured(Reason.LOCAL, "no file")), Errored)


def test_nothing_is_ever_received() -> None:
    with pytest.raises(Unasked, match="a check tls never asked for Received"):
        play(Connected(), Received(b"x"))

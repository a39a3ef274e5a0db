import errno

import pytest

from libra_health.ending import Ending, cut_short
from libra_health.outcome import Errored, Failed, Reason
from libra_health.wire import DeadlineReached, Ended, Refused, Unsecured


@pytest.mark.parametrize(
    ("event", "reason", "detail"),
    [
        (Refused(errno.ECONNREFUSED, immediate=False), Reason.REFUSED, "ECONNREFUSED"),
        (Unsecured(Reason.TLS, "no shared cipher"), Reason.TLS, "no shared cipher"),
        (Ended(), Reason.CLOSED, "closed before the greeting: '220-'"),
        (DeadlineReached(), Reason.TIMEOUT, "no greeting in time: '220-'"),
    ],
)
def test_an_end_says_what_was_awaited_and_what_came(
    event: Ending, reason: Reason, detail: str
) -> None:
    assert cut_short(event, "greeting", 0.25, "220-") == Failed(reason, detail, 0.25)


def test_where_nothing_came_nothing_is_shown() -> None:
    assert cut_short(Ended(), "answer", 0.25) == Failed(
        Reason.CLOSED, "closed before the answer", 0.25
    )


def test_an_end_of_our_own_making_is_no_failure() -> None:
    local = Unsecured(Reason.LOCAL, "cannot read ca.pem")
    assert cut_short(local, "TLS handshake", 0.25) == Errored(Reason.LOCAL, "cannot read ca.pem")

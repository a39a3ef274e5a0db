"""What is dropped is counted; what no healthy cluster says raises an alarm."""

import pytest

from libra_vrrp.seal.hearing import Stand
from libra_vrrp.seal.outcome import Reason, alarm, of_stand

QUIET = {Reason.OWN, Reason.LATE, Reason.UNANSWERED}


@pytest.mark.parametrize("reason", Reason)
def test_only_what_happens_in_a_healthy_cluster_is_quiet(reason: Reason) -> None:
    raised = alarm(reason)
    assert (raised is None) == (reason in QUIET)
    assert raised is None or raised[0] == (
        "replay" if reason in {Reason.REPLAYED, Reason.STALE, Reason.UNPROVEN} else "auth"
    )


@pytest.mark.parametrize("stand", [one for one in Stand if one is not Stand.FRESH])
def test_whatever_is_not_fresh_has_a_reason(stand: Stand) -> None:
    assert of_stand(stand) in Reason

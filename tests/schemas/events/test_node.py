import pytest
from pydantic import ValidationError

from libra_schemas.events.node import Recovered, Started


def test_a_service_that_started_has_a_process() -> None:
    with pytest.raises(ValidationError):
        Started(service="health", version="0.1.0", pid=0)


def test_a_recovery_that_lost_nothing_says_so() -> None:
    recovered = Recovered(service="health")
    assert (recovered.kind, recovered.sent_again, recovered.coalesced) == ("start", 0, 0)

from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document


@pytest.mark.parametrize("value", [0, "500ms", "1500ms", "25d", "999999999999d"])
def test_a_timeout_that_the_kernel_cannot_keep_is_told(
    document: Document, complaints: Complain, value: Any
) -> None:
    document["ipvs"] = {"timeouts": {"tcp": value}}
    expected = "expected whole seconds, 24 days at most (leave it out to keep the kernel's)"
    assert complaints(document) == [f"ipvs.timeouts.tcp: {expected}"]


def test_timeouts_in_whole_seconds_are_fine(document: Document, complaints: Complain) -> None:
    document["ipvs"] = {"timeouts": {"tcp": "15m", "tcp_fin": 1, "udp": "24d"}}
    assert complaints(document) == []

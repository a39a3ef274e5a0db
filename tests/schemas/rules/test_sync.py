from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

THRESHOLD = (
    "sync.threshold: expected [threshold, period], both at least 0, threshold below a period"
    " ([2, 0] carries every connection early)"
)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"group": "10.0.0.1"}, "sync.group: 10.0.0.1 is no multicast group"),
        ({"threshold": [-1, 0]}, THRESHOLD),
        ({"threshold": [2, -1]}, THRESHOLD),
        ({"threshold": [50, 50]}, THRESHOLD),
    ],
)
def test_what_the_kernel_would_refuse_is_told(
    document: Document, complaints: Complain, changes: dict[str, Any], complaint: str
) -> None:
    document["sync"] = changes
    assert complaints(document) == [complaint]


@pytest.mark.parametrize("threshold", [[2, 0], [3, 50], [0, 1]])
def test_what_the_kernel_takes_is_fine(
    document: Document, complaints: Complain, threshold: list[int]
) -> None:
    document["sync"] = {"threshold": threshold}
    assert complaints(document) == []

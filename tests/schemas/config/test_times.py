"""Intervals that VRRP can say, and leases that a kernel can hold to."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from libra_schemas.config.times import Interval, Lease


def read(kind: Any, written: object) -> Any:
    return TypeAdapter(kind).validate_python(written)


@pytest.mark.parametrize(
    ("interval", "seconds"),
    [("10ms", 0.01), ("1s", 1.0), (0.5, 0.5), ("40.95s", 40.95), (255, 255)],
)
def test_an_interval_is_what_a_version_can_say(interval: object, seconds: float) -> None:
    assert read(Interval, interval) == seconds


@pytest.mark.parametrize(
    ("interval", "complaint"),
    [
        ("9ms", r"must be between 10ms and 40.95s \(version 2: 1s to 255s\)"),
        ("41.5s", r"must be between 10ms and 40.95s \(version 2: 1s to 255s\)"),
        (500, "must be between 10ms and 40.95s; a bare number is in seconds: write 500ms"),
    ],
)
def test_an_interval_that_none_can_say_is_refused(interval: object, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        read(Interval, interval)


@pytest.mark.parametrize(
    ("lease", "complaint"),
    [
        *((lease, "must be between 2s and 60s") for lease in (1, 0, 61, "1s", "2m")),
        (2.5, "expected whole seconds such as 2s, not 2.5"),
        ("2500ms", "expected whole seconds such as 2s, not 2500ms"),
        *((lease, "expected a duration") for lease in (-2, "two", True, None)),
    ],
)
def test_a_lease_is_whole_seconds_from_2_to_60(lease: object, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        read(Lease, lease)


@pytest.mark.parametrize(
    ("lease", "seconds"), [(2, 2), ("2s", 2), ("2000ms", 2), ("1m", 60), (60, 60)]
)
def test_a_lease_is_written_as_every_duration(lease: object, seconds: int) -> None:
    found = read(Lease, lease)
    assert (found, type(found)) == (seconds, int)

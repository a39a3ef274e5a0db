from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.schemas.conftest import Complain, Document

from libra_schemas.config import ServiceConfig
from libra_schemas.config.verdict import DampingConfig, MaxDownConfig


def service(**fields: Any) -> ServiceConfig:
    return ServiceConfig.model_validate({"address": "192.0.2.10:80"} | fields)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (2, MaxDownConfig(most=2)),
        (0, MaxDownConfig(most=0)),
        ("50%", MaxDownConfig(most="50%")),
        ({"most": "50%", "within": "1h"}, MaxDownConfig(most="50%", within=3600)),
    ],
)
def test_a_guard_is_a_number_a_share_or_both_limits(written: Any, read: MaxDownConfig) -> None:
    assert service(max_down=written).max_down == read


@pytest.mark.parametrize(
    ("most", "size", "allowed"),
    [(2, 4, 2), (9, 4, 9), (0, 4, 0), ("50%", 4, 2), ("50%", 5, 2), ("10%", 4, 1), ("100%", 4, 4)],
)
def test_a_share_is_rounded_down_but_one_may_always_go(
    most: int | str, size: int, allowed: int
) -> None:
    assert MaxDownConfig(most=most).allowance(size) == allowed


@given(st.integers(1, 100), st.integers(1, 1000))
def test_a_share_never_allows_more_than_the_pool(percent: int, size: int) -> None:
    assert 1 <= MaxDownConfig(most=f"{percent}%").allowance(size) <= size


def test_damping_needs_no_more_than_to_be_asked_for() -> None:
    made = service(damping={}).damping
    assert made == DampingConfig(changes=5, within=60, stable=60)
    assert service().damping is None


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"max_down": "half"},
            (
                "max_down: expected a number of backends such as 2, a share such as 50%,"
                " or both limits such as {most: 50%, within: 5m}"
            ),
        ),
        (
            {"max_down": {"most": "0%"}},
            "max_down.most: expected a number of backends such as 2, or a share such as 50%",
        ),
        (
            {"max_down": {"within": "5m"}},
            'max_down.most: is missing (as in most: "50%")',
        ),
        ({"slow_start": "500ms"}, "slow_start: must be 0 or at least 1s: it has ten steps"),
        ({"damping": {"changes": 1}}, "damping.changes: expected a whole number from 2 to 1000"),
        ({"damping": {"stable": 0}}, "damping.stable: must be longer than 0"),
        (
            {"damping": True},
            "damping: expected a mapping of keys to values (as in damping: {changes: 5})",
        ),
        ({"require": "most"}, "require: expected one of all, any"),
    ],
)
def test_a_mistake_is_told(
    document: Document, complaints: Complain, changes: dict[str, Any], complaint: str
) -> None:
    document["services"]["web"] |= changes
    assert complaints(document) == [f"services.web.{complaint}"]


def test_what_cannot_be_rounded_is_refused() -> None:
    with pytest.raises(ValidationError):
        MaxDownConfig.model_validate({"most": 1.5})

from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

A_CHECK = "write a kind such as check: tcp, or a mapping such as check: {http: {path: /healthz}}"


@pytest.mark.parametrize(
    ("place", "key", "hint"),
    [
        ("web", "check", f"{A_CHECK}; with assume_up: true a service needs none"),
        ("web", "hold", "write hold: true, or leave it out"),
        ("web", "damping", "write damping: {changes: 5}, or leave it out"),
        ("web", "max_down", "write a share such as max_down: 50%, or leave it out"),
        ("web.backends.w1", "check", f"{A_CHECK}; leave it out to check it as its service says"),
        ("web.backends.w1", "hold", "write hold: true or hold: false, or leave it out"),
    ],
)
def test_what_is_left_empty_is_told_with_what_to_write(
    document: Document, complaints: Complain, place: str, key: str, hint: str
) -> None:
    at: dict[str, Any] = document["services"]
    for part in place.split("."):
        at = at[part]
    at[key] = None
    assert complaints(document) == [f"services.{place}.{key}: is empty ({hint})"]


def test_no_check_is_written_as_assume_up(document: Document, complaints: Complain) -> None:
    document["services"]["web"]["assume_up"] = True
    assert complaints(document) == []


@pytest.mark.parametrize("check", ["tcp", {"tcp": None}, [{"http": None}]])
def test_a_kind_of_which_nothing_is_said_is_checked_as_usual(
    document: Document, complaints: Complain, check: object
) -> None:
    document["services"]["web"]["check"] = check
    assert complaints(document) == []

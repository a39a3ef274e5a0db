from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

from libra_schemas.config.check import KINDS

ONE_KIND = f"name exactly one of {', '.join(KINDS)}"

A_LIST = "write a list with a check for each: [{tcp: ...}, {http: ...}]"


@pytest.mark.parametrize(
    ("check", "complaint"),
    [
        ({"tcp": None, "http": None}, f": {ONE_KIND}, not tcp and http ({A_LIST})"),
        ({"every": "1s"}, f": {ONE_KIND}"),
        (
            {"tcp": None, "every": "1s", "timeout": "2s"},
            (
                ".timeout: timeout 2s is longer than every 1s"
                " (write every: 2s or longer, or a shorter timeout)"
            ),
        ),
        (
            {"tcp": None, "timeout": 500},
            (
                ".timeout: timeout 500s is longer than every 1s"
                " (write every: 500s or longer, or a shorter timeout; a bare number is in seconds)"
            ),
        ),
    ],
)
@pytest.mark.parametrize("place", ["check", "check[1]", "backends.w1.check"])
def test_a_check_that_cannot_be_run_is_told_where_it_stands(
    document: Document, complaints: Complain, check: dict[str, Any], complaint: str, place: str
) -> None:
    web = document["services"]["web"]
    match place:
        case "check":
            web["check"] = check
        case "check[1]":
            web["check"] = ["tcp", check]
        case _:
            web["backends"]["w1"]["check"] = check
    assert complaints(document) == [f"services.web.{place}{complaint}"]


@pytest.mark.parametrize(
    "check",
    [
        "tcp",
        {"tcp": None, "every": "1s", "timeout": "1s"},
    ],
)
def test_a_check_that_can_be_run_is_fine(
    document: Document, complaints: Complain, check: object
) -> None:
    document["services"]["web"]["check"] = check
    assert complaints(document) == []

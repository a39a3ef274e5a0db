from typing import Any

import pytest
from pydantic import ValidationError

from libra_schemas.config import CheckConfig, HttpSpec, IcmpSpec, TcpSpec


def check(value: Any) -> CheckConfig:
    return CheckConfig.model_validate(value)


@pytest.mark.parametrize("written", ["tcp", {"tcp": None}, {"tcp": {}}])
def test_a_kind_alone_is_a_whole_check(written: Any) -> None:
    assert check(written).tcp == TcpSpec()
    assert check(written).kind == "tcp"


def test_a_check_is_taken_as_it_is() -> None:
    made = check("icmp")
    assert CheckConfig.model_validate(made) is made
    assert made.icmp == IcmpSpec()


@pytest.mark.parametrize(
    ("written", "status"),
    [(200, ("200",)), ("200-399", ("200-399",)), ([200, "301-302"], ("200", "301-302"))],
)
def test_statuses_are_written_as_comes_naturally(written: Any, status: tuple[str, ...]) -> None:
    made = check({"http": {"status": written}}).http
    assert made is not None
    assert made.status == status


@pytest.mark.parametrize(
    ("written", "timeout"),
    [
        ({"tcp": None}, 0.5),
        ({"tcp": None, "every": "200ms"}, 0.2),
        ({"tcp": None, "every": "5s"}, 0.5),
        ({"tcp": None, "every": "5s", "timeout": "4s"}, 4.0),
    ],
)
def test_a_timeout_nobody_wrote_stays_within_every(written: Any, timeout: float) -> None:
    assert check(written).timeout == timeout


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ({"tcp": None, "every": 0}, "must be longer than 0"),
        ({"tcp": None, "timeout": "0s"}, "must be longer than 0"),
        ({"tcp": None, "every": "x"}, "expected a duration"),
        ({"http": {"path": "healthz"}}, "must start with / and hold no white space"),
        ({"http": {"path": "/a b"}}, "must start with / and hold no white space"),
        ({"http": {"path": "/ä"}}, "printable ASCII only"),
        ({"http": {"host": "a\r\nX: y"}}, "printable ASCII only"),
        ({"http": {"host": "two words"}}, "holds no blanks"),
        ({"http": {"host": ""}}, "is not empty"),
        ({"http": {"contains": "x", "max_body": 0}}, "greater than or equal to 1"),
        ({"http": {"regex": "\u00e9"}}, "is ASCII here"),
        ({"tcp": {"expect": "a{99999999999}"}}, "repetition number is too large"),
        ({"http": {"headers": {"X": "a\nY: b"}}}, "printable ASCII only"),
        ({"http": {"headers": {"X Y": "a"}}}, "should match pattern"),
        ({"http": {"status": "299-200"}}, "299-200 ends before it starts"),
        ({"http": {"regex": "("}}, "no regular expression: missing"),
        ({"tcp": {"expect": "["}}, "no regular expression: unterminated"),
        (5, "valid dictionary"),
    ],
)
def test_a_check_that_cannot_be_run_is_told(written: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        check(written)


def test_a_whole_http_check_is_taken() -> None:
    spec = {"path": "/x", "host": "www.example.com", "headers": {"X-A": "b"}, "regex": "^ok$"}
    assert check({"http": spec}).http == HttpSpec.model_validate(spec)

from typing import Any

import pytest
from pydantic import ValidationError

from libra_schemas.config import HttpSpec


@pytest.mark.parametrize(
    ("written", "status"),
    [(200, ("200",)), ("200-399", ("200-399",)), ([200, "301-302"], ("200", "301-302"))],
)
def test_statuses_are_written_as_comes_naturally(written: Any, status: tuple[str, ...]) -> None:
    assert HttpSpec.model_validate({"status": written}).status == status


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ({"path": "healthz"}, "must start with / and hold no white space"),
        ({"path": "/a b"}, "must start with / and hold no white space"),
        ({"path": "/ä"}, "printable ASCII only"),
        ({"host": "a\r\nX: y"}, "printable ASCII only"),
        ({"host": "two words"}, "holds no blanks"),
        ({"host": ""}, "is not empty"),
        ({"contains": "x", "max_body": 0}, "greater than or equal to 1"),
        ({"regex": "\u00e9"}, "is ASCII here"),
        ({"headers": {"X": "a\nY: b"}}, "printable ASCII only"),
        ({"headers": {"X Y": "a"}}, "should match pattern"),
        ({"status": "299-200"}, "299-200 ends before it starts"),
        ({"regex": "("}, "no regular expression: missing"),
        ({"method": "CONNECT"}, "Input should be 'GET'"),
        ({"version": 2}, "Input should be '1.0' or '1.1'"),
        ({"digest": {"sha256": "ab"}}, "should match pattern"),
        ({"headers_files": {"Authorization": "token"}}, "must be a whole path"),
        ({"redirects": 11}, "less than or equal to 10"),
        ({"requests": [{"path": "x"}]}, "must start with /"),
    ],
)
def test_a_request_that_cannot_be_made_is_told(written: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        HttpSpec.model_validate(written)


@pytest.mark.parametrize("written", ["1.0", 1.0])
def test_a_version_is_written_as_comes_naturally(written: Any) -> None:
    assert HttpSpec.model_validate({"version": written}).version == "1.0"


def test_each_of_several_requests_takes_what_it_does_not_say_from_the_check() -> None:
    spec = HttpSpec.model_validate(
        {"host": "a", "contains": "ok", "requests": [{"path": "/x"}, {"host": "b", "body": ""}]}
    )
    first, second = spec.each
    assert (first.path, first.host, first.contains, first.body) == ("/x", "a", "ok", None)
    assert (second.path, second.host, second.contains, second.body) == ("/", "b", "ok", "")
    assert HttpSpec(path="/y").each == (HttpSpec(path="/y"),)

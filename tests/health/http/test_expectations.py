import hashlib

import pytest

from libra_health.http.expectations import (
    Contains,
    Digest,
    Expectation,
    Matches,
    missing,
    wrong_status,
)

MD5 = hashlib.md5(b"hello", usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Contains(b"ell"), None),
        (Contains(b"x\n"), r"'x\n' not in body"),
        (Matches("^h.llo$"), None),
        (Matches("^x"), "/^x/ not in body"),
        (Digest("md5", MD5.upper()), None),
        (
            Digest("md5", "0" * 32),
            f"md5 is {MD5}, wanted {'0' * 32} (see `libra digest`); body",
        ),
    ],
)
def test_what_a_body_lacks_is_named(wanted: Expectation, said: str | None) -> None:
    assert missing(wanted, b"hello") == said


def test_a_status_outside_every_range_is_wrong() -> None:
    assert wrong_status(204, ((200, 299),)) == ""
    assert wrong_status(500, ((200, 299), (404, 404))) == "status 500, wanted 200-299, 404"

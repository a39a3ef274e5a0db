from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

REFUSED = (
    "holds a secret, and a secret is never a value "
    "(write it to a file and name that under headers_files)"
)
OURS = "is written by LibrA itself (leave it out)"
NO_BODY = "an answer to HEAD has no body (use method: GET)"
NO_HOST = "must be a DNS name or an address, perhaps with a port: [::1]:8443"
TWICE = "stands in the request already (leave one of them out)"
NO_HOSTS = (
    "a..b",
    "a" * 64,
    "EXAMPLE:99999",
    "%zz/evil",
    "a@b",
    "[::1",
    "[::g]",
    "a:",
    "[]:1",
    "a:0",
)
DIGEST = {"sha256": "0" * 64}


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ({"method": "HEAD", "contains": "x"}, f".contains: {NO_BODY}"),
        ({"method": "HEAD", "regex": "x"}, f".regex: {NO_BODY}"),
        ({"method": "HEAD", "digest": DIGEST}, f".digest: {NO_BODY}"),
        (
            {"contains": "x", "requests": [{"path": "/"}, {"method": "HEAD"}]},
            f".contains: {NO_BODY}",
        ),
        (
            {"method": "HEAD", "requests": [{"path": "/"}, {"regex": "x"}]},
            f".requests[1].regex: {NO_BODY}",
        ),
        ({"body": "x"}, ".body: GET carries none (use method: POST)"),
        ({"digest": {}}, ".digest: name sha256 or md5, or both (`libra digest URL` prints it)"),
        (
            {"requests": [{"digest": {}}]},
            ".requests[0].digest: name sha256 or md5, or both (`libra digest URL` prints it)",
        ),
        ({"headers": {"Authorization": "x", "Accept": "x"}}, f".headers.Authorization: {REFUSED}"),
        ({"headers": {"X-Vault-Token": "x"}}, f".headers.X-Vault-Token: {REFUSED}"),
        ({"headers": {"Host": "a b"}}, ".headers.Host: holds no blanks and is not empty"),
        ({"headers": {"Host": ""}}, ".headers.Host: holds no blanks and is not empty"),
        ({"headers": {"host": "a@b"}}, f".headers.host: {NO_HOST}"),
        ({"host": "a", "headers": {"Host": "b"}}, f".headers.Host: {TWICE}"),
        ({"headers": {"X-A": "b", "x-a": "c"}}, f".headers.x-a: {TWICE}"),
        ({"headers_files": {"X-A": "/b", "x-a": "/c"}}, f".headers_files.x-a: {TWICE}"),
        ({"status": []}, ".status: needs at least 1 entry (as in status: 200-299)"),
        ({"digest": {"sha256": "abc"}}, ".digest.sha256: must match ^[0-9A-Fa-f]{64}$"),
        *(({"host": host}, f".host: {NO_HOST}") for host in NO_HOSTS),
        ({"headers": {"connection": "close"}}, f".headers.connection: {OURS}"),
        ({"headers_files": {"Content-Length": "/x"}}, f".headers_files.Content-Length: {OURS}"),
        (
            {"headers": {"X-A": "b"}, "headers_files": {"x-a": "/x"}},
            ".headers_files.x-a: stands in the request already (leave one of them out)",
        ),
        (
            {"headers_files": {"Host": "/x"}},
            ".headers_files.Host: stands in the request already (use host)",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["http", "https"])
def test_a_request_that_cannot_be_made_is_told_where_it_stands(
    document: Document, complaints: Complain, spec: dict[str, Any], complaint: str, kind: str
) -> None:
    document["services"]["web"]["check"] = {kind: spec}
    assert complaints(document) == [f"services.web.check.{kind}{complaint}"]


def test_http_speaks_no_tls(document: Document, complaints: Complain) -> None:
    document["services"]["web"]["check"] = {"http": {"tls": {}}}
    assert complaints(document) == [
        "services.web.check.http.tls: http speaks no TLS (name the check https)"
    ]


@pytest.mark.parametrize(
    "check",
    [
        {"http": {"method": "HEAD"}},
        {"http": {"headers": {"Host": "a:80"}, "requests": [{"host": "[::1]:8443"}]}},
        {"https": {"requests": [{"host": host} for host in ("::1", "a.b.", "10.0.0.1", "x_y:1")]}},
        {"http": {"headers": {"Accept": "*/*"}, "headers_files": {"Authorization": "/x"}}},
        {"https": {"tls": {"name": "a.example"}, "digest": DIGEST}},
        {"https": {"requests": [{"method": "POST", "body": "x"}, {"path": "/b"}]}},
    ],
)
def test_a_request_that_can_be_made_is_fine(
    document: Document, complaints: Complain, check: object
) -> None:
    document["services"]["web"]["check"] = check
    assert complaints(document) == []

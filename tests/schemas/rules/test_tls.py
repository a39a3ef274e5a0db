from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

UNSEEN = "with verify: false nobody looks at the certificate (leave one of them out)"


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ({"verify": False, "ca_file": "/ca"}, f".ca_file: {UNSEEN}"),
        ({"verify": False, "expires_within": "7d"}, f".expires_within: {UNSEEN}"),
        (
            {"key_file": "/key"},
            ".key_file: a key is nothing without its certificate (name certificate_file too)",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["tls", "https", "smtp", "ldap", "grpc"])
def test_what_would_be_looked_at_in_vain_is_told(
    document: Document, complaints: Complain, spec: dict[str, Any], complaint: str, kind: str
) -> None:
    check = {"tls": spec} if kind == "tls" else {kind: {"tls": spec}}
    document["services"]["web"]["check"] = check
    place = "tls" if kind == "tls" else f"{kind}.tls"
    assert complaints(document) == [f"services.web.check.{place}{complaint}"]


def test_https_offers_what_it_speaks(document: Document, complaints: Complain) -> None:
    document["services"]["web"]["check"] = {"https": {"tls": {"alpn": ["http/1.1", "h2"]}}}
    hint = "look for others by check: {tls: {alpn: [...]}}"
    place = "services.web.check.https.tls.alpn[1]"
    assert complaints(document) == [f"{place}: https speaks http/1.0 and http/1.1 ({hint})"]


def test_grpc_speaks_http2_alone(document: Document, complaints: Complain) -> None:
    document["services"]["web"]["check"] = {"grpc": {"tls": {"alpn": ["h2", "http/1.1"]}}}
    hint = "look for others by check: {tls: {alpn: [...]}}"
    place = "services.web.check.grpc.tls.alpn[1]"
    assert complaints(document) == [f"{place}: grpc speaks h2 ({hint})"]


@pytest.mark.parametrize(
    "check",
    [
        "tls",
        "https",
        {"grpc": {"tls": True}},
        {"grpc": {"tls": {"alpn": ["h2"]}}},
        {"tls": {"alpn": ["h2"], "certificate_file": "/cert", "key_file": "/key"}},
        {"tls": {"verify": False}},
        {"https": {"tls": {"expires_within": "14d", "ca_file": "/ca"}}},
    ],
)
def test_what_can_be_spoken_is_fine(
    document: Document, complaints: Complain, check: object
) -> None:
    document["services"]["web"]["check"] = check
    assert complaints(document) == []

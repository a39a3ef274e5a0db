from typing import Any

import pytest
from pydantic import ValidationError

from libra_schemas.config import SmtpSpec, TlsSpec


def test_nothing_need_be_written_and_verification_is_on() -> None:
    assert (TlsSpec().verify, TlsSpec().expires_within, TlsSpec().alpn) == (True, None, ())
    assert TlsSpec.model_validate({"expires_within": "14d"}).expires_within == 14 * 86400


@pytest.mark.parametrize(
    "name", ["a", "www.example.net", "_sip.example", "192.0.2.1", "2001:db8::1"]
)
def test_a_name_is_one_of_dns_or_an_address(name: str) -> None:
    assert TlsSpec.model_validate({"name": name}).name == name


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ({"name": ""}, "a DNS name or an address"),
        ({"name": "a.example:443"}, "without a port"),
        ({"name": "https://a.example"}, "a DNS name or an address"),
        ({"name": "ä.example"}, "a DNS name or an address"),
        ({"name": f"{'a' * 64}.example"}, "a DNS name or an address"),
        ({"ca_file": "ca.pem"}, "must be a whole path, one that begins with /"),
        ({"key_file": "/a\0"}, "must be a whole path"),
        ({"expires_within": "two weeks"}, "expected a duration"),
        ({"alpn": ["h2", ""]}, "should match pattern"),
        ({"alpn": ["a b"]}, "should match pattern"),
        ({"verify": "no"}, "valid boolean"),
    ],
)
def test_what_cannot_be_spoken_is_told(written: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        TlsSpec.model_validate(written)


@pytest.mark.parametrize(
    ("written", "spec"),
    [
        (None, None),
        (False, None),
        (True, TlsSpec()),
        ({}, TlsSpec()),
        ({"name": "mx.example"}, TlsSpec(name="mx.example")),
    ],
)
def test_within_another_protocol_tls_is_a_switch_or_a_block(
    written: Any, spec: TlsSpec | None
) -> None:
    assert SmtpSpec.model_validate({"tls": written}).tls == spec

from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document


@pytest.mark.parametrize(
    ("dns", "complaint"),
    [
        ({"type": "A", "expect": "x"}, "expect: no IPv4 address: 'x'"),
        (
            {"type": "AAAA", "expect": ["2001:db8::1", "192.0.2.1"]},
            "expect[1]: no IPv6 address: '192.0.2.1'",
        ),
        (
            {"type": "MX", "expect": ["mail.example.net"]},
            "expect[0]: MX is written as in '10 mail.example.net', not 'mail.example.net'",
        ),
        (
            {"type": "A", "rcode": "NXDOMAIN", "expect": ["192.0.2.1"]},
            "expect: no answers come with rcode NXDOMAIN (leave it out)",
        ),
        (
            {"rcode": "REFUSED", "at_least": 1},
            "at_least: no answers come with rcode REFUSED (leave it out)",
        ),
    ],
)
def test_an_answer_that_cannot_come_is_told_where_it_stands(
    document: Document, complaints: Complain, dns: dict[str, Any], complaint: str
) -> None:
    document["services"]["web"]["check"] = {"dns": dns}
    assert complaints(document) == [f"services.web.check.dns.{complaint}"]


@pytest.mark.parametrize(
    "dns",
    [
        None,
        {"type": "A", "name": "example.net", "expect": ["192.0.2.1", "192.0.2.2"]},
        {"rcode": "NXDOMAIN", "at_least": 0},
    ],
)
def test_an_answer_that_can_come_is_fine(
    document: Document, complaints: Complain, dns: object
) -> None:
    document["services"]["web"]["check"] = {"dns": dns}
    assert complaints(document) == []

from typing import Any

import pytest
from pydantic import ValidationError

from libra_schemas.config import CheckConfig, DnsSpec


def test_a_name_server_is_asked_for_the_root_without_anything_written() -> None:
    made = CheckConfig.model_validate("dns").dns
    assert made == DnsSpec()
    assert made is not None
    assert (made.name, made.type, made.transport, made.rcode) == (".", "SOA", "udp", "NOERROR")


@pytest.mark.parametrize(
    ("written", "expect"), [("192.0.2.1", ("192.0.2.1",)), (["a", "b"], ("a", "b")), ([], ())]
)
def test_one_record_is_expected_or_several(written: Any, expect: tuple[str, ...]) -> None:
    assert DnsSpec.model_validate({"expect": written}).expect == expect


@pytest.mark.parametrize(
    "written",
    [
        {"name": "a..b"},
        {"type": "ANY"},
        {"rcode": "OK"},
        {"transport": "tls"},
        {"at_least": -1},
        {"expect": None},
        {"expect": [1]},
    ],
)
def test_what_cannot_be_asked_is_refused(written: Any) -> None:
    with pytest.raises(ValidationError):
        DnsSpec.model_validate(written)

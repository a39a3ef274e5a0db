from typing import Any

import pytest
from pydantic import ValidationError

from libra_schemas.config.routing import VirtualRoute, VirtualRule


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({"to": " default "}, {"to": "default", "table": 254}),
        ({"to": "10.1.2.3"}, {"to": "10.1.2.3/32"}),
        ({"to": "2001:DB8::/32", "table": 100}, {"to": "2001:db8::/32", "table": 100}),
        ({"to": "default", "table": "main"}, {"table": 254}),
        ({"to": "default", "table": "default"}, {"table": 253}),
    ],
)
def test_a_route_is_read_as_ip_route_has_it(written: dict[str, Any], read: dict[str, Any]) -> None:
    found = VirtualRoute.model_validate(written)
    assert {key: getattr(found, key) for key in read} == read
    assert VirtualRoute.model_validate(found.model_dump(by_alias=True)) == found


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ({"to": "10.0.0.1/8"}, r"10\.0\.0\.1/8 is an address in a network; write 10\.0\.0\.0/8"),
        ({"to": "everywhere"}, "expected default, or a network such as 10.0.0.0/8, not 'every"),
        ({"to": 7}, "expected default, or a network"),
        ({"to": "default", "table": "vpn"}, "names of tables are the host's own; write the number"),
        ({"to": "default", "table": 255}, "table 255 holds the host's own addresses"),
        ({"to": "default", "table": 0}, "expected a table's number"),
        ({"to": "default", "table": True}, "expected a table's number"),
        ({"to": "default", "metric": 0}, "greater than or equal to 1"),
        ({"to": "default", "onlink": "yes"}, "valid boolean"),
    ],
)
def test_what_no_route_can_be_is_refused(written: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        VirtualRoute.model_validate(written)


@pytest.mark.parametrize(
    ("written", "version"),
    [
        ({"to": "10.0.0.0/8"}, 4),
        ({"to": "::/0"}, 6),
        ({"to": "default", "via": "fe80::1"}, 6),
        ({"to": "default", "src": "192.0.2.1"}, 4),
        ({"to": "default"}, None),
    ],
)
def test_the_family_of_a_route_is_that_of_its_addresses(
    written: dict[str, Any], version: int | None
) -> None:
    assert VirtualRoute.model_validate(written).version == version


@pytest.mark.parametrize(
    ("written", "mark", "version"),
    [
        ({}, None, None),
        ({"from": "10.0.0.0/8"}, None, 4),
        ({"to": "2001:db8::/32"}, None, 6),
        ({"fwmark": 7}, (7, 0xFFFFFFFF), None),
        ({"fwmark": "0x10/0xff"}, (16, 255), None),
    ],
)
def test_a_rule_is_read_as_ip_rule_has_it(
    written: dict[str, Any], mark: tuple[int, int] | None, version: int | None
) -> None:
    found = VirtualRule.model_validate({"priority": 100} | written)
    assert (found.mark, found.version) == (mark, version)
    assert VirtualRule.model_validate(found.model_dump(by_alias=True)) == found


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ({"from": "here"}, "expected a network such as 10.0.0.0/8, not 'here'"),
        ({"priority": 32766}, "less than or equal to 32765"),
        ({"fwmark": "red"}, "expected a mark such as 7, or with its mask 0x10/0xff"),
        ({"fwmark": True}, "expected a mark"),
        ({"fwmark": "1/0x1ffffffff"}, "a mark is 0 to 0xffffffff"),
        ({"fwmark": "3/1"}, "the mask leaves out a part of the mark"),
    ],
)
def test_what_no_rule_can_be_is_refused(written: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        VirtualRule.model_validate({"priority": 100} | written)

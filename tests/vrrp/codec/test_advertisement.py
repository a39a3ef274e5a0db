"""What an advertisement can say, and what no format has a place for."""

from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from libra_vrrp.codec.advertisement import Advertisement

FOUR, SIX = IPv4Address("192.0.2.10"), IPv6Address("2001:db8::10")


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="the usual"),
        pytest.param({"interval": 4095}, id="the longest interval of version 3"),
        pytest.param({"version": 2, "interval": 25500}, id="the longest interval of version 2"),
        pytest.param({"addresses": (SIX,)}, id="IPv6"),
        pytest.param({"addresses": ()}, id="no address (keepalived: no_virtual_ipaddress)"),
    ],
)
def test_what_the_format_holds_can_be_said(fields: dict[str, Any]) -> None:
    said: dict[str, Any] = {
        "vrid": 51,
        "priority": 150,
        "interval": 100,
        "addresses": (FOUR,),
    } | fields
    assert Advertisement(**said).vrid == 51


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        pytest.param({"vrid": 0}, "vrid 0", id="vrid 0"),
        pytest.param({"vrid": 256}, "vrid 256", id="vrid 256"),
        pytest.param({"priority": -1}, "priority -1", id="priority -1"),
        pytest.param({"priority": 256}, "priority 256", id="priority 256"),
        pytest.param({"interval": 0}, "interval 0", id="interval 0"),
        pytest.param({"interval": 4096}, "interval 4096", id="interval over 12 bits"),
        pytest.param({"version": 2, "interval": 25600}, "25600", id="interval over an octet"),
        pytest.param({"version": 2, "interval": 150}, "no whole", id="a part of a second"),
        pytest.param({"version": 4}, "version 4", id="version 4"),
        pytest.param({"addresses": (FOUR,) * 256}, "at most 255", id="256 addresses"),
        pytest.param({"addresses": (FOUR, SIX)}, "one family", id="two families"),
        pytest.param({"version": 2, "addresses": (SIX,)}, "IPv4", id="IPv6 in version 2"),
    ],
)
def test_what_the_format_cannot_hold_is_our_mistake(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Advertisement(**({"vrid": 51, "priority": 150, "interval": 100} | fields))

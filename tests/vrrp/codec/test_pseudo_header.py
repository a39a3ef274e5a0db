"""What a checksum covers beside the message, octet by octet."""

from ipaddress import ip_address

import pytest

from libra_vrrp.codec.pseudo_header import pseudo_header


@pytest.mark.parametrize(
    ("source", "destination", "octets"),
    [
        pytest.param(
            "10.9.0.1", "224.0.0.18", "0a090001 e0000012 00 70 000c", id="IPv4: RFC 793, 3.1"
        ),
        pytest.param(
            "fe80::1",
            "ff02::12",
            "fe800000000000000000000000000001 ff020000000000000000000000000012 0000000c 000000 70",
            id="IPv6: RFC 8200, 8.1",
        ),
    ],
)
def test_it_is_as_the_family_has_it(source: str, destination: str, octets: str) -> None:
    found = pseudo_header(ip_address(source), ip_address(destination), 12)
    assert found == bytes.fromhex(octets)

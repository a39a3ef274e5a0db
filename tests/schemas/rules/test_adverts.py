"""What adverts can say, and to whom."""

from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

BOTH = {
    "addresses": ["192.0.2.10/24", "2001:db8:10::10/64"],
    "unicast": {"a": ["10.1.0.1", "2001:db8::1"], "b": ["2001:db8::2", "10.1.0.2"]},
}
BACK = {"interface": "eth1", "vrid": 51, "addresses": ["10.0.1.1/24"], "unicast": True}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"version": 2, "interval": "1500ms"},
            "interval: version 2 counts whole seconds, from 1s to 255s (or write version: 3)",
        ),
        (
            {"interval": "255s"},
            "interval: must be between 10ms and 40.95s",
        ),
        (
            {"auth_file": "/etc/libra/pass"},
            "auth_file: only version 2 of VRRP has a password (leave it out, or write version: 2)",
        ),
        (
            {"version": 2, "checksum": "rfc9568"},
            "checksum: version 2 has one checksum (leave it out)",
        ),
        (
            {"version": 2, "auth_file": "/etc/libra/pass", "seal": {"key_file": "/k"}},
            "auth_file: a seal leaves nothing for a password to protect (leave it out)",
        ),
        ({"unicast": {"a": "10.1.0.1"}}, "unicast: node b takes part and has no address here"),
        (
            {"unicast": {"a": "10.1.0.1", "b": "10.1.0.1"}},
            "unicast.b: node a has 10.1.0.1 already",
        ),
        (
            {"unicast": {"a": "10.1.0.1", "b": "10.1.0.2"}, "priority": {"a": 150}},
            "unicast.b: node b takes no part (leave it out)",
        ),
        (
            {"unicast": {"a": "10.1.0.1", "b": "10.1.0.2", "c": "10.1.0.3"}},
            "unicast.c: no node is called 'c' (known: a, b)",
        ),
        (
            {"unicast": {"a": "10.1.0.1", "b": "192.0.2.10"}},
            "unicast.b: 192.0.2.10 is a virtual address",
        ),
        (
            {"unicast": {"a": "10.1.0.1", "b": "2001:db8::2"}},
            "unicast.b: node b has 2001:db8::2, and the virtual addresses are IPv4",
        ),
        (
            {"unicast": {"a": "10.1.0.1", "b": ["10.1.0.2", "2001:db8::2"]}},
            "unicast.b[1]: node b has 2001:db8::2, and the virtual addresses are IPv4",
        ),
        (
            {"unicast": {"a": "10.1.0.1", "b": ["10.1.0.2", "10.1.0.3"]}},
            "unicast.b[1]: node b has another IPv4 address here (write one of each family)",
        ),
        (
            {"unicast": {"a": ["10.1.0.1"], "b": ["10.1.0.1"]}},
            "unicast.b[0]: node a has 10.1.0.1 already",
        ),
        (
            {"unicast": {"a": "10.1.0.1", "b": []}},
            "unicast.b: node b has no IPv4 address here, and the virtual addresses need one",
        ),
        (
            {"unicast": {"a": "10.1.0.1", "b": "169.254.0.2"}},
            "unicast.b: 169.254.0.2 cannot be spoken to from another node",
        ),
    ],
)
def test_an_advert_can_say_it_to_whom_it_is_for(
    document: Document, complaints: Complain, changes: dict[str, Any], complaint: str
) -> None:
    document["instances"]["front"] |= changes
    found = complaints(document)
    assert len(found) == 1
    assert found[0].startswith(f"instances.front.{complaint}")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"version": 2}, id="version 2, every second"),
        pytest.param({"version": 2, "interval": "255s"}, id="version 2, its longest interval"),
        pytest.param({"version": 2, "auth_file": "/etc/libra/pass"}, id="a password"),
        pytest.param({"seal": {"key_file": "/k"}}, id="a seal"),
        pytest.param({"version": 2, "seal": {"key_file": "/k"}}, id="version 2 under a seal"),
        pytest.param({"interval": "10ms"}, id="version 3, its shortest interval"),
        pytest.param({"unicast": True}, id="to the nodes' own addresses"),
        pytest.param({"unicast": {"a": "10.1.0.1", "b": "10.1.0.2"}}, id="to addresses of theirs"),
        pytest.param({"unicast": {"a": "10.1.0.1"}, "priority": {"a": 150}}, id="to nobody"),
        pytest.param({"unicast": {"a": ["10.1.0.1"], "b": ["10.1.0.2"]}}, id="to one of each"),
        pytest.param(BOTH, id="to addresses of both families"),
        pytest.param({"version": 2, "unicast": True}, id="version 2, unicast"),
    ],
)
def test_what_adverts_can_say_is_fine(
    document: Document, complaints: Complain, changes: dict[str, Any]
) -> None:
    document["instances"]["front"] |= changes
    assert complaints(document) == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"version": 2, "addresses": ["2001:db8::10/64"]},
            "addresses[0]: version 2 is for IPv4 alone (or write version: 3)",
        ),
        (
            {"unicast": True, "addresses": ["2001:db8::10/64"]},
            "unicast: node a has 10.0.0.2, and the virtual addresses are IPv6",
        ),
        (
            BOTH | {"unicast": True},
            "unicast: node b has no IPv6 address here, and the virtual addresses need one (write ",
        ),
        (
            BOTH | {"unicast": {"a": "2001:db8::1", "b": ["2001:db8::2", "10.1.0.2"]}},
            "unicast.a: node a has no IPv4 address here, and the virtual addresses need one",
        ),
        (
            BOTH | {"unicast": {"a": ["10.1.0.1", "2001:db8::1"], "b": []}},
            "unicast.b: node b has no IPv4 and no IPv6 address here",
        ),
        (
            BOTH | {"unicast": {"a": ["10.1.0.1", "2001:db8::1"]}},
            "unicast: node b takes part and has no address here",
        ),
        (
            BOTH | {"unicast": {"a": ["10.1.0.1", "fe80::1"], "b": ["2001:db8::2", "10.1.0.2"]}},
            "unicast.a[1]: fe80::1 cannot be spoken to from another node",
        ),
    ],
)
def test_ipv6_is_spoken_as_ipv6(
    document: Document, complaints: Complain, changes: dict[str, Any], complaint: str
) -> None:
    document["instances"]["front"] |= changes
    found = complaints(document)
    assert any(each.startswith(f"instances.front.{complaint}") for each in found)


def test_a_vrid_is_used_once_at_a_unicast_address(document: Document, complaints: Complain) -> None:
    document["instances"]["front"] |= {"unicast": True}
    document["instances"]["back"] = BACK
    (found,) = complaints(document)
    assert found.startswith("instances.back.vrid: instance front has vrid 51 at 10.0.0.2 already")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"vrid": 52}, id="another number"),
        pytest.param({"unicast": {"a": "10.1.0.1", "b": "10.1.0.2"}}, id="other addresses"),
        pytest.param({"unicast": False}, id="multicast"),
        pytest.param({"priority": {}, "interface": {}}, id="nobody"),
    ],
)
def test_two_unicast_instances_side_by_side_are_told_apart(
    document: Document, complaints: Complain, changes: dict[str, Any]
) -> None:
    document["instances"]["front"] |= {"unicast": True}
    document["instances"]["back"] = BACK | changes
    assert not any("already" in each for each in complaints(document))

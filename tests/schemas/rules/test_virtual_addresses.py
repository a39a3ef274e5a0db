from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

LOCAL = "fe80::10/64"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"addresses": ["10.0.0.2/24"]}, "addresses[0]: 10.0.0.2 is the own address of node a"),
        ({"excluded": ["10.0.0.2/24"]}, "excluded[0]: 10.0.0.2 is the own address of node a"),
        (
            {"addresses": ["192.0.2.10/24", {"address": "192.0.2.10/32", "interface": "eth1"}]},
            "addresses[1]: instance front has 192.0.2.10 already",
        ),
        ({"excluded": ["192.0.2.10/32"]}, "excluded[0]: instance front has 192.0.2.10 already"),
        ({"excluded": ["224.0.0.5"]}, "excluded[0]: 224.0.0.5 is a group of hosts, not one"),
        ({"excluded": ["ff02::1/64"]}, "excluded[0]: ff02::1 is a group of hosts, not one"),
        ({"excluded": ["0.0.0.0/0"]}, "excluded[0]: 0.0.0.0 is no host's address"),
        ({"excluded": ["255.255.255.255"]}, "excluded[0]: 255.255.255.255 is no host's address"),
        ({"excluded": ["::/0"]}, "excluded[0]: :: is no host's address"),
        ({"excluded": ["127.0.0.2/8"]}, "excluded[0]: 127.0.0.2 never leaves a host"),
        ({"excluded": ["::1"]}, "excluded[0]: ::1 never leaves a host"),
        (
            {"excluded": ["::ffff:192.0.2.11"]},
            "excluded[0]: ::ffff:c000:20b is spelled 192.0.2.11 on the network",
        ),
    ],
)
def test_a_virtual_address_is_a_hosts_and_no_other_has_it(
    document: Document, complaints: Complain, changes: dict[str, Any], complaint: str
) -> None:
    document["instances"]["front"] |= changes
    assert complaints(document) == [f"instances.front.{complaint}"]


def back(**changes: Any) -> dict[str, Any]:
    return {"interface": "eth1", "vrid": 52, "addresses": ["10.0.1.1/24"], **changes}


def test_two_instances_cannot_own_one_address(document: Document, complaints: Complain) -> None:
    document["instances"]["back"] = back(addresses=["192.0.2.10/32"])
    assert complaints(document) == [
        "instances.back.addresses[0]: instance front has 192.0.2.10 already"
    ]


@pytest.mark.parametrize(
    ("changes", "collide"),
    [
        pytest.param({}, False, id="on another interface"),
        pytest.param({"interface": "eth0"}, True, id="on the same interface"),
        pytest.param({"interface": {"a": "eth1", "b": "eth0"}}, True, id="on one node"),
        pytest.param(
            {"interface": {"b": "eth0"}, "priority": {"b": 1}}, True, id="where both take part"
        ),
        pytest.param({"excluded": [{"address": LOCAL, "interface": "eth0"}]}, True, id="elsewhere"),
    ],
)
def test_a_link_local_address_is_owned_once_on_an_interface(
    document: Document, complaints: Complain, changes: dict[str, Any], collide: bool
) -> None:
    document["instances"]["front"]["excluded"] = [LOCAL]
    document["instances"]["back"] = {**back(excluded=[LOCAL]), **changes}
    complaint = "instances.back.excluded[0]: instance front has fe80::10 already"
    assert complaints(document) == [complaint] * collide


def test_what_does_not_fit_an_advert_is_to_be_excluded(
    document: Document, complaints: Complain
) -> None:
    six = back(addresses=[f"2001:db8::{n:x}/64" for n in range(1, 92)])
    document["instances"]["six"] = six
    assert complaints(document) == [
        (
            "instances.six.addresses: an advert of one packet lists at most 90 IPv6 addresses "
            "(put the rest in excluded)"
        )
    ]
    six["excluded"] = [six["addresses"].pop()]
    assert complaints(document) == []

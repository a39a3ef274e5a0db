from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

from libra_schemas.config import AddressElsewhere
from libra_schemas.rules.instances import virtual_address

BACK = {"interface": "eth1", "vrid": 52, "addresses": ["10.0.1.1/24"]}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"addresses": ["2001:db8::10/64"]},
            "addresses[0]: IPv6 virtual addresses are not in this release yet (leave it out)",
        ),
        ({"addresses": ["10.0.0.2/24"]}, "addresses[0]: 10.0.0.2 is the own address of node a"),
        (
            {"addresses": ["192.0.2.10/24", {"address": "192.0.2.10/32", "interface": "eth1"}]},
            "addresses[1]: instance front has 192.0.2.10 already",
        ),
        ({"priority": {}}, "priority: names no node"),
        ({"interface": {"a": "eth0"}}, "priority.b: node b has no interface"),
        (
            {"priority": {"a": 1}, "interface": {"a": "eth0", "b": "eth1"}},
            "interface.b: node b has no priority",
        ),
    ],
)
def test_a_virtual_router_is_whole(
    document: Document, complaints: Complain, changes: dict[str, Any], complaint: str
) -> None:
    document["instances"]["front"] |= changes
    assert complaints(document) == [f"instances.front.{complaint}"]


def test_two_instances_cannot_own_one_address(document: Document, complaints: Complain) -> None:
    document["instances"]["back"] = BACK | {"addresses": ["192.0.2.10/32"]}
    assert complaints(document) == [
        "instances.back.addresses[0]: instance front has 192.0.2.10 already"
    ]


def test_a_vrid_is_used_once_per_interface(document: Document, complaints: Complain) -> None:
    document["instances"]["back"] = BACK | {"interface": {"a": "eth0", "b": "eth0"}, "vrid": 51}
    assert complaints(document) == [
        "instances.back.vrid: instance front has vrid 51 on eth0 already (choose another number)"
    ]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"vrid": 51}, id="another interface"),
        pytest.param({"interface": "eth0"}, id="another number"),
    ],
)
def test_two_instances_side_by_side_are_fine(
    document: Document, complaints: Complain, changes: dict[str, Any]
) -> None:
    document["instances"]["back"] = BACK | changes
    assert complaints(document) == []


def test_one_vrid_on_two_nodes_that_never_meet_is_fine(
    document: Document, complaints: Complain
) -> None:
    document["instances"]["front"] |= {"priority": {"a": 1}}
    document["instances"]["back"] = BACK | {
        "interface": {"b": "eth0"}, "priority": {"b": 1}, "vrid": 51
    }  # fmt: skip
    assert complaints(document) == []


def test_a_virtual_address_is_given_without_its_prefix() -> None:
    elsewhere = AddressElsewhere(address="10.0.1.1/24", interface="eth1")
    assert str(virtual_address(elsewhere)) == "10.0.1.1"

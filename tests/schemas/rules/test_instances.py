from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

from libra_schemas.errors import ConfigError
from libra_schemas.load import config_from
from libra_schemas.places import Path, Places, Position

OWNED = {"a": 255, "b": 100}
BACK = {"interface": "eth1", "vrid": 52, "addresses": ["10.0.1.1/24"]}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
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


def test_a_vrid_is_free_in_the_other_family(document: Document, complaints: Complain) -> None:
    six = {"interface": "eth0", "vrid": 51, "addresses": ["2001:db8::10/64"]}
    document["instances"]["six"] = six
    assert complaints(document) == []
    six["addresses"] = ["2001:db8::10/64", "192.0.2.11/24"]
    assert complaints(document) == [
        "instances.six.vrid: instance front has vrid 51 on eth0 already (choose another number)"
    ]


BOTH = ["192.0.2.10/24", "2001:db8::10/64"]


def test_no_other_instance_has_the_name_of_an_ipv6_router(
    document: Document, complaints: Complain
) -> None:
    document["instances"]["front-ipv6"] = BACK
    assert complaints(document) == []
    document["instances"]["front"]["addresses"] = BOTH
    assert complaints(document) == [
        (
            "instances.front-ipv6: the IPv6 router of instance front is called front-ipv6 "
            "(rename one of them)"
        )
    ]


def test_a_name_with_both_families_leaves_room_for_the_second(
    document: Document, complaints: Complain
) -> None:
    name = "n" * 59
    document["instances"][name] = BACK | {"addresses": ["10.0.1.1/24", "2001:db8::1/64"]}
    assert complaints(document) == [
        (
            f"instances.{name}: the IPv6 router of instance {name} is called {name}-ipv6, "
            "which is too long (shorten it)"
        )
    ]


def test_an_owner_takes_over_without_a_delay(document: Document, complaints: Complain) -> None:
    document["instances"]["front"] |= {"priority": {"a": 100, "b": 255}, "preempt": "30s"}
    (found,) = complaints(document)
    assert found == (
        "instances.front.preempt: priority 255 takes over at once, and b has it "
        "(write preempt: true, or a priority of 254 or less)"
    )


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        pytest.param(
            {"priority": {"a": 255, "b": 255}},
            (
                "priority.b: priority 255 is for the one node that has the addresses itself, and "
                "a has it already (write a priority of 254 or less)"
            ),
            id="each",
        ),
        pytest.param(
            {"priority": 255},
            (
                "priority: priority 255 is for the one node that has the addresses itself, and "
                "a has it as well as b (write a priority of 254 or less)"
            ),
            id="one for all",
        ),
    ],
)
def test_an_address_has_one_owner(
    document: Document, complaints: Complain, changes: dict[str, Any], complaint: str
) -> None:
    document["instances"]["front"] |= changes
    assert complaints(document) == [f"instances.front.{complaint}"]


def test_one_priority_for_all_is_an_owners_where_one_takes_part(
    document: Document, complaints: Complain
) -> None:
    document["instances"]["front"] |= {"priority": 255, "interface": {"a": "eth0"}}
    assert complaints(document) == []


def test_the_second_owner_is_named_by_line_and_column(document: Document) -> None:
    document["instances"]["front"] |= {"priority": {"a": 255, "b": 255}}
    values: dict[Path, Position] = {("instances", "front", "priority", "b"): (8, 30)}
    with pytest.raises(ConfigError) as caught:
        config_from(document, Places("libra.yaml", {}, values))
    assert [(one.line, one.column) for one in caught.value.problems] == [(8, 30)]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"priority": 254, "preempt": "30s"}, id="no owner"),
        pytest.param({"priority": OWNED}, id="the default"),
        pytest.param({"priority": OWNED, "preempt": False}, id="no delay"),
        pytest.param({"priority": OWNED, "preempt": "0s"}, id="a delay of nothing"),
    ],
)
def test_an_owner_without_a_delay_and_a_delay_without_an_owner_are_fine(
    document: Document, complaints: Complain, changes: dict[str, Any]
) -> None:
    document["instances"]["front"] |= changes
    assert complaints(document) == []


def test_the_delay_of_an_owner_is_named_by_line_and_column(document: Document) -> None:
    document["instances"]["front"] |= {"priority": OWNED, "preempt": "30s"}
    values: dict[Path, Position] = {("instances", "front", "preempt"): (8, 14)}
    with pytest.raises(ConfigError) as caught:
        config_from(document, Places("libra.yaml", {}, values))
    assert [(one.line, one.column) for one in caught.value.problems] == [(8, 14)]

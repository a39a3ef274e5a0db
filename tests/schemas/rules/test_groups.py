from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

from libra_schemas.load import config_from
from libra_schemas.rules.groups import groups

INSIDE = {"interface": "eth1", "vrid": 52, "addresses": ["10.0.1.1/24"], "group": "nat"}


@pytest.fixture
def grouped(document: Document) -> Document:
    document["instances"] = {
        "outside": document["instances"]["front"] | {"group": "nat"},
        "inside": INSIDE | {"priority": {"a": 150, "b": 100}},
    }
    return document


def test_a_group_is_its_instances_in_the_configs_order(grouped: Document) -> None:
    grouped["instances"]["alone"] = INSIDE | {"vrid": 53, "addresses": ["10.0.1.2/24"]}
    del grouped["instances"]["alone"]["group"]
    assert groups(config_from(grouped)) == {"nat": ["outside", "inside"]}


@pytest.mark.parametrize(
    "priority",
    [
        pytest.param({"a": 150, "b": 100}, id="the same"),
        pytest.param({"a": 255, "b": 1}, id="other numbers in the same order"),
    ],
)
def test_one_order_on_the_same_nodes_is_fine(
    grouped: Document, complaints: Complain, priority: dict[str, int]
) -> None:
    grouped["instances"]["inside"]["priority"] = priority
    assert complaints(grouped) == []


@pytest.mark.parametrize(
    ("priority", "said"),
    [
        pytest.param({"a": 100, "b": 150}, "b comes before a", id="turned round"),
        pytest.param(100, "a and b are equal", id="no order"),
    ],
)
def test_an_order_that_no_node_could_win_by_is_refused(
    grouped: Document, complaints: Complain, priority: Any, said: str
) -> None:
    grouped["instances"]["inside"]["priority"] = priority
    (complaint,) = complaints(grouped)
    assert complaint == (
        f"instances.inside.priority: {said} here, and a comes before b in outside of the same group"
        " nat: neither node could become master of both"
        " (give the nodes the same order in every instance of a group)"
    )


def test_an_instance_on_fewer_nodes_is_refused(grouped: Document, complaints: Complain) -> None:
    grouped["instances"]["inside"] |= {"interface": {"b": "eth1"}, "priority": {"b": 100}}
    (complaint,) = complaints(grouped)
    assert complaint == (
        "instances.inside.group: inside is on b and outside of the same group nat is on a, b: who"
        " is not on both could be master of neither"
        " (give both an interface and a priority on a, b)"
    )


def test_two_instances_on_nodes_of_their_own_are_refused(
    grouped: Document, complaints: Complain
) -> None:
    grouped["instances"]["outside"] |= {"interface": {"a": "eth0"}, "priority": {"a": 150}}
    grouped["instances"]["inside"] |= {"interface": {"b": "eth1"}, "priority": {"b": 100}}
    (complaint,) = complaints(grouped)
    assert "inside is on b and outside of the same group nat is on a" in complaint


def test_what_is_broken_elsewhere_says_nothing_of_the_group(
    grouped: Document, complaints: Complain
) -> None:
    grouped["instances"]["inside"]["priority"] = {"a": 100, "b": 1500}
    (complaint,) = complaints(grouped)
    assert complaint.startswith("instances.inside.priority.b: ")

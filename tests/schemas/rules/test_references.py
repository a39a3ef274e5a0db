from typing import Any

import pytest

from libra_schemas.places import Finding
from libra_schemas.rules.references import references

BASE: dict[str, Any] = {"nodes": {"a": {}, "b": {}}, "services": {"web": {}}}


@pytest.mark.parametrize(
    ("part", "path", "name"),
    [
        ({"instances": {"f": {"priority": {"c": 1}}}}, ("instances", "f", "priority", "c"), "c"),
        ({"instances": {"f": {"interface": {"c": 1}}}}, ("instances", "f", "interface", "c"), "c"),
        (
            {"instances": {"f": {"track": {"services": {"wbe": {}}}}}},
            ("instances", "f", "track", "services", "wbe"),
            "wbe",
        ),
        ({"notify": {"o": {"nodes": ["a", "c"]}}}, ("notify", "o", "nodes", 1), "c"),
        ({"notify": {"o": {"services": ["wbe"]}}}, ("notify", "o", "services", 0), "wbe"),
        ({"sync": {"interface": {"c": "eth0"}}}, ("sync", "interface", "c"), "c"),
    ],
)
def test_a_name_that_nobody_wrote_is_told(part: Any, path: Any, name: str) -> None:
    (found,) = references(BASE | part)
    assert found.path == path
    assert found.message.endswith(f"is called {name!r}")


def test_names_that_exist_are_fine() -> None:
    part = {"notify": {"o": {"nodes": ["a"], "services": ["web"]}}, "sync": {"interface": "eth0"}}
    assert list(references(BASE | part)) == []


def test_where_nothing_is_near_what_is_known_is_listed() -> None:
    (found,) = references(BASE | {"notify": {"o": {"nodes": ["zzz"]}}})
    assert found.hint == "known: a, b"


def test_where_nothing_is_known_that_is_said() -> None:
    (found,) = references({"notify": {"o": {"services": ["zzz"]}}})
    assert found.hint == "known: none"


def test_of_many_names_that_are_known_some_are_listed() -> None:
    nodes: dict[str, Any] = {f"n{number}": {} for number in range(100)}
    (found,) = references({"nodes": nodes, "notify": {"o": {"nodes": ["zzz"]}}})
    assert found.hint.endswith(", n18, n19 and 80 more")


@pytest.mark.parametrize("section", [{}, {"nodes": None}, {"nodes": ["a"]}, {"nodes": {}}])
def test_nobody_is_said_to_be_missing_where_all_nodes_are(section: dict[str, Any]) -> None:
    assert list(references(section | {"notify": {"o": {"nodes": ["a"]}}})) == []


@pytest.mark.parametrize("services", [None, 5, ["web"]])
def test_nor_where_nobody_can_tell_what_services_there_are(services: Any) -> None:
    broken = {"services": services, "notify": {"o": {"services": ["web"]}}}
    assert list(references(broken)) == []


@pytest.mark.parametrize(
    "document",
    [None, 5, {"instances": 5}, {"instances": {"f": None}}, {"notify": {"o": {"nodes": [5]}}}],
)
def test_what_is_broken_otherwise_is_left_to_others(document: Any) -> None:
    assert list(references(document)) == []


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"nodes": {"all": {}}}, ("nodes", "all")),
        ({"instances": {"cluster": {}}}, ("instances", "cluster")),
        ({"services": {"all": {}}}, ("services", "all")),
        (
            {"services": {"web": {"backends": {"cluster": {}}}}},
            ("services", "web", "backends", "cluster"),
        ),
        ({"notify": {"all": {}}}, ("notify", "all")),
    ],
)
def test_a_reserved_name_is_refused(document: Any, path: tuple[str, ...]) -> None:
    message = f"the name {path[-1]!r} is reserved"
    assert list(references(document)) == [Finding(path, message, "rename it", on_key=True)]

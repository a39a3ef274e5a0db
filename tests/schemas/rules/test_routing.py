from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

from libra_schemas.load import config_from
from libra_schemas.rules.advice import sourceless

NET = {"to": "10.9.0.0/16"}


@pytest.mark.parametrize(
    ("route", "complaint"),
    [
        ({"via": "fe80::1"}, ".via: the route is IPv4, and fe80::1 is not"),
        ({"src": "2001:db8::1"}, ".src: the route is IPv4, and 2001:db8::1 is not"),
        (
            {"to": "2001:db8::/32", "scope": "link"},
            ".scope: only IPv4 has scopes (leave it out)",
        ),
        (
            {"type": "blackhole", "via": "192.0.2.1"},
            ".via: a route of type blackhole leads nowhere (leave it out)",
        ),
        (
            {"type": "prohibit", "interface": "eth0"},
            ".interface: a route of type prohibit leads nowhere (leave it out)",
        ),
        ({"onlink": True, "via": "192.0.2.1"}, ".onlink: onlink needs via and interface"),
        (
            {"via": "192.0.2.1", "scope": "link"},
            ".scope: a network behind 192.0.2.1 is farther away than that (leave it out)",
        ),
        ({"via": "224.0.0.1"}, ".via: 224.0.0.1 is no router's address"),
        ({"via": "192.0.2.10"}, ".via: 192.0.2.10 is an address of the master itself"),
        ({"metrik": 7}, ".metrik: unknown key 'metrik' (did you mean metric?)"),
        ({"dev": "eth0"}, ".dev: unknown key 'dev' (keepalived's dev is here interface)"),
    ],
)
def test_a_route_that_no_kernel_takes_is_refused_in_its_place(
    document: Document, complaints: Complain, route: dict[str, Any], complaint: str
) -> None:
    document["instances"]["front"]["routes"] = [NET | route]
    assert complaints(document) == [f"instances.front.routes[0]{complaint}"]


@pytest.mark.parametrize(
    "route",
    [
        {"via": "192.0.2.1", "src": "192.0.2.10", "table": 100, "metric": 7, "scope": "global"},
        {"via": "192.0.2.1", "interface": "eth0", "onlink": True},
        {"type": "unreachable", "table": 100},
        {"to": "default"},
        {"to": "default", "via": "fe80::1"},
    ],
)
def test_a_route_that_makes_sense_is_taken(
    document: Document, complaints: Complain, route: dict[str, Any]
) -> None:
    document["instances"]["front"]["routes"] = [NET | route]
    assert complaints(document) == []


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        (
            {"from": "10.0.0.0/8", "to": "::/0", "table": 7},
            ".to: from is IPv4, and this is IPv6 (make two rules of it)",
        ),
        ({}, ": lookup needs a table (write table: NUMBER)"),
        (
            {"action": "blackhole", "table": 7},
            ".table: blackhole looks into no table (leave it out)",
        ),
        (
            {"preference": 100, "table": 7},
            ".preference: unknown key 'preference' (keepalived's preference is here priority)",
        ),
    ],
)
def test_a_rule_that_no_kernel_takes_is_refused_in_its_place(
    document: Document, complaints: Complain, rule: dict[str, Any], complaint: str
) -> None:
    document["instances"]["front"]["rules"] = [{"priority": 100} | rule]
    assert complaints(document) == [f"instances.front.rules[0]{complaint}"]


def test_a_route_and_a_rule_belong_to_one_instance(
    document: Document, complaints: Complain
) -> None:
    rule = {"priority": 100, "from": "10.0.0.0/8", "table": 7}
    back = {"interface": "eth1", "vrid": 52, "addresses": ["10.0.1.1/24", "2001:db8::1/64"]}
    front = document["instances"]["front"]
    front |= {"routes": [NET, {"to": "default", "table": 7}], "rules": [rule]}
    other = [NET | {"metric": 7}, {"to": "default", "table": 7}, NET | {"via": "10.0.1.254"}]
    document["instances"]["back"] = back | {"routes": other, "rules": [rule]}
    assert complaints(document) == [
        f"instances.back.{again}[{index}]: instance front has it already, in {first} "
        f"(give it a {remedy} of its own, or a table)"
        for again, index, first, remedy in (
            ("routes", 1, "routes[1]", "metric"),
            ("routes", 2, "routes[0]", "metric"),
            ("rules", 0, "rules[0]", "priority"),
        )
    ]


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        pytest.param(
            "routes",
            {"to": "default", "via": "10.0.1.254", "table": 7},
            {"to": "0.0.0.0/0", "via": "10.0.1.253", "table": 7},
            id="default",
        ),
        pytest.param(
            "routes",
            {"to": "::/0", "via": "2001:db8::1"},
            {"to": "default", "via": "2001:db8::2", "metric": 1024},
            id="the metric of IPv6",
        ),
        pytest.param(
            "rules",
            {"priority": 100, "from": "10.0.0.0/8", "to": "0.0.0.0/0", "table": 7},
            {"priority": 100, "from": "10.0.0.0/8", "table": 7},
            id="to everywhere",
        ),
        pytest.param(
            "rules",
            {"priority": 100, "from": "10.0.0.0/8", "fwmark": "0/0", "table": 7},
            {"priority": 100, "from": "10.0.0.0/8", "table": 7},
            id="any mark",
        ),
    ],
)
def test_what_is_written_in_two_ways_is_there_twice_all_the_same(
    document: Document, complaints: Complain, kind: str, one: Document, other: Document
) -> None:
    front = document["instances"]["front"]
    front["addresses"] = ["192.0.2.10/24", "2001:db8::10/64"]
    document["instances"]["back"] = front | {"vrid": 52, "addresses": ["192.0.2.11/24"]}
    document["instances"]["front"] |= {kind: [one]}
    document["instances"]["back"] |= {kind: [other]}
    (found,) = complaints(document)
    assert found.startswith(f"instances.back.{kind}[0]: instance front has it already")


def test_ipv4_has_no_metric_where_none_is_written(document: Document, complaints: Complain) -> None:
    document["instances"]["front"]["routes"] = [NET, NET | {"metric": 1024}]
    assert complaints(document) == []


def test_a_source_that_the_master_need_not_have_is_named(document: Document) -> None:
    front = document["instances"]["front"]
    back = {"interface": "eth1", "vrid": 52, "addresses": ["10.0.1.1/24"]}
    document["instances"]["back"] = back
    front["routes"] = [NET | {"src": "192.0.2.10"}, NET | {"src": "10.0.1.1", "metric": 2}]
    (found,) = sourceless(config_from(document))
    assert found.path == ("instances", "front", "routes", 1, "src")
    assert found.message.startswith("10.0.1.1 is no address of this instance")
    both = {"group": "nat", "priority": front["priority"]}
    document["instances"]["back"] = back | both
    front |= both
    assert list(sourceless(config_from(document))) == []

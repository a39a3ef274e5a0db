"""Two mistakes are told as two: neither hides the other, and neither makes up a third."""

from copy import deepcopy
from itertools import combinations
from time import process_time
from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

MISTAKES: dict[str, Any] = {
    "version": 7,
    "nodes.a.address": "10.0.0",
    "nodes.b.addr": "10.0.0.3",
    "instances.front.vrid": 300,
    "instances.front.interval": 100,
    "instances.front.interface": "a/b",
    "instances.front.priority": {"a": 500, "b": 100},
    "instances.front.preempt": "perhaps",
    "instances.front.track.services": {"wbe": {"weight": -20}},
    "services.web.schedular": "rr",
    "services.web.scheduler": "fastest",
    "services.web.forward": "direct",
    "services.web.persistence": "1500ms",
    "services.web.hysteresis": 1,
    "services.web.one_packet": True,
    "services.web.flags": ["flag-1", "flag-9", "sh-port"],
    "services.web.check": {"http": {"method": "HEAD", "contains": "x"}, "rise": 0},
    "services.web.backends.w1.weight": "heavy",
    "services.web.backends.w2.lower": 5,
    "services.web.backends.w3": {"weight": 1},
    "services.web.backends.w4": "10.0.1.12:80",
    "services.dns.family": "ipv6",
    "services.dns.backends.d1.check": [{"htp": {}}, {"tcp": {}, "every": "1s", "timeout": "2s"}],
    "services.dns.backends.d2": "10.0.2.12:5353",
    "notify.ops.match": ["?", "backend.*", "moon.*"],
    "notify.ops.program": {"command": []},
    "notify.ops.webhook.secret": "x",
    "notify.ops.nodes": ["c"],
    "notify.mail.email.to": [],
    "notify.mail.email.user": "libra",
    "notify.mail.email.password": "secret",
    "sync.threshold": [5, 2],
    "sync.ttl": 0,
    "ipvs.timeouts.udp": "1500ms",
}
RELATED = {"services.web.scheduler", "services.web.flags"}
"""Judged by each other: where nobody knows the scheduler, no flag is another one's."""


@pytest.fixture
def whole(document: Document) -> Document:
    document["services"]["dns"] = {
        "address": "192.0.2.20:53",
        "protocol": "udp",
        "forward": "dr",
        "check": "icmp",
        "backends": {"d1": {"address": "10.0.2.11:53"}, "d2": {"address": "10.0.2.12:53"}},
    }
    mail = {"to": ["ops@example.com"], "from": "libra@example.com", "server": "mail"}
    document["notify"]["mail"] = {"email": mail, "match": ["vrrp.*"]}
    document["services"]["web"]["backends"]["w2"] = {"address": "10.0.1.12:80"}
    document |= {"sync": {}, "ipvs": {"timeouts": {}}}
    return document


def mistaken(document: Document, *places: str) -> Document:
    made = deepcopy(document)
    for place in places:
        *parents, key = place.split(".")
        part = made
        for parent in parents:
            part = part[parent]
        part[key] = MISTAKES[place]
    return made


def test_the_whole_document_is_valid(whole: Document, complaints: Complain) -> None:
    assert complaints(whole) == []


@pytest.mark.parametrize("place", list(MISTAKES))
def test_each_mistake_is_one(whole: Document, complaints: Complain, place: str) -> None:
    assert complaints(mistaken(whole, place))


def test_two_mistakes_are_told_as_two(whole: Document, complaints: Complain) -> None:
    alone = {place: set(complaints(mistaken(whole, place))) for place in MISTAKES}
    wrong = {}
    for first, second in combinations(MISTAKES, 2):
        if {first, second} == RELATED:
            continue
        together = set(complaints(mistaken(whole, first, second)))
        if together != alone[first] | alone[second]:
            wrong[first, second] = together ^ (alone[first] | alone[second])
    assert wrong == {}


def test_all_mistakes_are_told_together(whole: Document, complaints: Complain) -> None:
    places = [place for place in MISTAKES if place not in RELATED]
    alone = [text for place in places for text in complaints(mistaken(whole, place))]
    assert sorted(complaints(mistaken(whole, *places))) == sorted(set(alone))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        pytest.param("services.web.check", "htpp", id="a mistyped short form"),
        pytest.param("services.web.check", ["htpp", "tcp"], id="one of several"),
        pytest.param("services.web.check", "", id="an empty short form"),
    ],
)
def test_what_is_no_place_in_the_document_hides_nothing(
    whole: Document, complaints: Complain, place: str, value: Any
) -> None:
    *parents, key = place.split(".")
    alone = complaints(mistaken(whole, "services.dns.backends.d2"))
    part: Any = mistaken(whole, "services.dns.backends.d2")
    broken = part
    for parent in parents:
        broken = broken[parent]
    broken[key] = value
    found = complaints(part)
    assert len(found) == len(alone) + 1
    assert set(alone) < set(found)


def test_a_part_of_no_kind_is_told_beside_what_else_is_wrong_with_it(
    whole: Document, complaints: Complain
) -> None:
    whole["services"]["web"]["check"] = {"every": "soon"}
    whole["notify"]["ops"] = {}
    del whole["services"]["dns"]["address"]
    whole["services"]["dns"]["quorum"] = "most"
    assert [text.partition(":")[0] for text in complaints(whole)] == [
        "services.web.check.every",
        "services.dns.quorum",
        "notify.ops.match",
        "services.dns",
        "services.web.check",
        "notify.ops",
    ]


def test_a_mistyped_kind_is_no_missing_one(whole: Document, complaints: Complain) -> None:
    whole["services"]["web"]["check"] = {"htpp": {}}
    whole["services"]["dns"]["addr"] = whole["services"]["dns"].pop("address")
    assert [text.partition(" (")[0] for text in complaints(whole)] == [
        "services.web.check.htpp: unknown key 'htpp'",
        "services.dns.addr: unknown key 'addr'",
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param(("nodes",), ["a", "b"], id="nodes as a list"),
        pytest.param(("nodes",), None, id="no nodes"),
        pytest.param(("services",), ["web"], id="services as a list"),
        pytest.param(("version",), [], id="a list for a version"),
        pytest.param(("version",), {"x": {}}, id="a mapping for a version"),
        pytest.param(("instances", "front", "priority"), ["a"], id="a list of priorities"),
        pytest.param(("instances", "front", "priority"), ["zz"], id="a list of nobody's"),
        pytest.param(("instances", "front", "priority"), {}, id="nobody's priority"),
        pytest.param(("notify", "ops", "services"), ["x y"], id="a name that is none"),
        pytest.param(
            ("instances", "front", "interface"),
            dict.fromkeys("abc", "eth0"),
            id="an interface of nobody",
        ),
        pytest.param(("services", "dns", "address"), None, id="no address"),
        pytest.param(("services", "dns", "address"), "192.0.2.20", id="no port"),
    ],
)
def test_one_mistake_is_told_once(
    whole: Document, complaints: Complain, path: tuple[str, ...], value: Any
) -> None:
    part: Any = whole
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    assert len(complaints(whole)) == 1


def test_neither_of_two_wrong_priorities_makes_it_nobodys(
    whole: Document, complaints: Complain
) -> None:
    whole["instances"]["front"]["priority"] = {"a": 0, "b": 256}
    assert len(complaints(whole)) == 2


def test_many_mistakes_are_told_in_time(whole: Document, complaints: Complain) -> None:
    """One after the other they took 140 s: each was compared with every other."""
    whole["services"]["web"]["backends"] = {
        f"w{number}": {"address": f"10.0.{number >> 8}.{number & 255}:99999"}
        for number in range(10_000)
    }
    before = process_time()
    assert len(complaints(whole)) == 10_000
    assert process_time() - before < 10

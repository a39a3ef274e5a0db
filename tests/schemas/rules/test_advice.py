import pytest
from tests.schemas.conftest import Document

from libra_schemas.load import config_from
from libra_schemas.places import Finding
from libra_schemas.rules.advice import (
    advise,
    crowded,
    echoing,
    hasty,
    lonely,
    overtaken,
    uneven,
    unheard,
    unheard_refusals,
    unlinked,
    unowned,
    untied,
)


def test_an_address_that_no_instance_owns_is_named_with_the_nearest(document: Document) -> None:
    document["services"]["web"]["address"] = "192.0.2.11:80"
    message = "no instance owns 192.0.2.11; something else has to bring it"
    assert list(unowned(config_from(document))) == [
        Finding(("services", "web", "address"), message, "did you mean 192.0.2.10?")
    ]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="owned"),
        pytest.param({"address": None, "fwmark": 7, "check": "icmp"}, id="a mark"),
        pytest.param(
            {"address": "[2001:db8::1]:80", "sorry": None, "backends": {"w1": "[2001:db8::2]:80"}},
            id="excluded from the adverts",
        ),
    ],
)
def test_an_address_of_an_instance_or_of_none_is_fine(
    document: Document, changes: Document
) -> None:
    document["instances"]["front"]["excluded"] = ["2001:db8::1/64"]
    document["services"]["web"] |= changes
    assert list(unowned(config_from(document))) == []


def test_without_instances_something_else_brings_every_address(document: Document) -> None:
    del document["instances"]
    document["services"]["web"]["address"] = "192.0.2.11:80"
    assert list(unowned(config_from(document))) == []


def test_a_group_of_one_is_named_with_the_nearest(document: Document) -> None:
    front = document["instances"]["front"] | {"group": "natt"}
    document["instances"]["front"] = front
    others = (
        {"vrid": 52, "addresses": ["192.0.2.11/24"]},
        {"vrid": 53, "addresses": ["192.0.2.12/24"]},
    )
    document["instances"] |= {
        name: front | changes | {"group": "nat"}
        for name, changes in zip(("back", "side"), others, strict=True)
    }
    found = [
        Finding(
            ("instances", "front", "group"),
            "no other instance is in group natt",
            "did you mean nat?",
        )
    ]
    assert list(lonely(config_from(document))) == found
    assert advise(config_from(document)) == tuple(found)


def test_a_group_of_uneven_intervals_is_as_slow_as_its_slowest(document: Document) -> None:
    front = document["instances"]["front"] | {"group": "nat", "interval": "100ms"}
    back = front | {"vrid": 52, "addresses": ["192.0.2.11/24"], "interval": "1s"}
    document["instances"] = {"front": front, "back": back}
    message = "group nat takes over no sooner than this, its slowest instance"
    assert list(uneven(config_from(document))) == [
        Finding(("instances", "back", "interval"), message, "give it the interval of front")
    ]
    back["interval"] = "100ms"
    assert list(uneven(config_from(document))) == []


def test_a_unicast_instance_of_one_node_speaks_to_nobody(document: Document) -> None:
    front = document["instances"]["front"]
    front["unicast"] = True
    assert list(unheard(config_from(document))) == []
    front["priority"] = {"a": 150}
    message = "only node a takes part; its adverts go to nobody"
    found = [
        Finding(("instances", "front", "unicast"), message, "give another node a priority"),
    ]
    assert list(unheard(config_from(document))) == found
    front["unicast"] = False
    assert list(unheard(config_from(document))) == []


def test_a_node_that_no_tether_reaches_is_named(document: Document) -> None:
    document["nodes"] = {"a": {"address": "fe80::1"}, "b": {"address": "fd00::2"}}
    message = "no tether reaches fe80::1: every interface has such addresses"
    (found,) = untied(config_from(document))
    assert (found.path, found.message) == (("nodes", "a", "address"), message)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"tether": {"enabled": False}}, id="without tethers"),
        pytest.param({"nodes": {"a": {"address": "fe80::1"}}}, id="one node"),
        pytest.param({"instances": {}}, id="no instance"),
    ],
)
def test_who_needs_no_tether_may_have_any_address(document: Document, changes: Document) -> None:
    document["nodes"] = {"a": {"address": "fe80::1"}, "b": {"address": "fd00::2"}}
    if "nodes" in changes:
        document["instances"]["front"]["priority"] = {"a": 150}
    assert list(untied(config_from(document | changes))) == []


@pytest.mark.parametrize(("every", "told"), [("1s", 0), ("500ms", 1)])
def test_more_probes_through_ipvs_than_it_forgets_are_named(
    document: Document, every: str, told: int
) -> None:
    web = document["services"]["web"]
    through = {"tcp": {}, "every": every, "timeout": "500ms", "data_path": True}
    backends = {f"w{number}": f"10.0.1.{number + 1}:80" for number in range(50)}
    web |= {"forward": "dr", "backends": backends, "check": [through, "tcp"]}
    message = "100 probes a second through IPVS: one may meet what it remembers of another backend"
    message += " that does not answer"
    found = Finding(
        ("services", "web"), message, "write a longer every: 50 a second are safe", on_key=True
    )
    assert list(crowded(config_from(document))) == [found] * told


@pytest.mark.parametrize("udp", [{}, {"silence": "pass"}, {"expect": "x", "silence": "pass"}])
def test_a_closed_port_that_is_asked_too_often_is_named(
    document: Document, udp: dict[str, str]
) -> None:
    document["services"]["web"]["check"] = {"udp": udp, "every": "500ms"}
    (found,) = unheard_refusals(config_from(document))
    assert found.path == ("services", "web", "check", "udp")
    assert found.hint == "check every 1s, or say silence: fail"


@pytest.mark.parametrize(
    "check",
    [
        {"udp": {}, "every": "1s"},
        {"udp": {"expect": "x"}, "every": "500ms"},
        {"udp": {"silence": "fail"}, "every": "500ms"},
        {"tcp": {}, "every": "500ms"},
    ],
)
def test_a_check_whose_silence_fails_may_be_asked_often(
    document: Document, check: Document
) -> None:
    document["services"]["web"]["check"] = check
    assert list(unheard_refusals(config_from(document))) == []


def test_votes_that_nobody_carries_are_named(document: Document) -> None:
    assert list(unlinked(config_from(document))) == []
    document["services"]["web"]["vantage"] = "majority"
    (found,) = unlinked(config_from(document))
    assert found.path == ("services", "web", "vantage")
    assert found.message == "votes come over a leaf link between the nats-servers of all nodes"


def test_packets_that_are_not_scheduled_by_themselves_are_named(document: Document) -> None:
    web = {"protocol": "udp", "check": "icmp", "one_packet": True, "persistence": "5m"}
    document["services"]["web"] |= web
    message = "does little beside persistence: all packets of a client go to one backend"
    assert list(overtaken(config_from(document))) == [
        Finding(("services", "web", "one_packet"), message, "leave one of them out")
    ]
    document["services"]["web"]["persistence"] = 0
    assert list(overtaken(config_from(document))) == []


@pytest.mark.parametrize(("written", "said"), [(14, "14s"), ("30m", "30m")])
def test_an_expiry_that_is_told_too_late_is_named(
    document: Document, written: object, said: str
) -> None:
    document["services"]["web"]["check"] = {"https": {"tls": {"expires_within": written}}}
    path = ("services", "web", "check", "https", "tls", "expires_within")
    message = f"fails {said} before the certificate's end only"
    hint = "a bare number is in seconds: two weeks are 14d"
    assert list(hasty(config_from(document))) == [Finding(path, message, hint)]


@pytest.mark.parametrize("written", ["1h", 0])
def test_an_expiry_that_is_told_in_time_or_not_at_all_is_fine(
    document: Document, written: object
) -> None:
    document["services"]["web"]["check"] = {"tls": {"expires_within": written}}
    assert list(hasty(config_from(document))) == []


@pytest.mark.parametrize("address", ["192.0.2.10:80", "192.0.2.10"])
def test_a_sorry_server_that_is_the_service_is_named(document: Document, address: str) -> None:
    web = document["services"]["web"]
    web |= {"address": address, "sorry": "192.0.2.10:80", "persistence": "5m"}
    message = "192.0.2.10:80 is the service itself: only this node could answer there"
    hint = "write the address of the server that says sorry"
    assert list(echoing(config_from(document))) == [
        Finding(("services", "web", "sorry"), message, hint)
    ]
    web["sorry"] = "10.0.1.99:80"
    assert list(echoing(config_from(document))) == []


def test_a_sorry_server_that_is_another_service_is_named(document: Document) -> None:
    web = document["services"]["web"]
    document["services"]["late"] = web | {"address": "192.0.2.11:80"}
    web["sorry"] = "192.0.2.11:80"
    (found,) = echoing(config_from(document))
    assert found.message == "192.0.2.11:80 is service late: only this node could answer there"

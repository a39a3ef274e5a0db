from typing import Any

import pytest
from pydantic import ValidationError
from tests.schemas.conftest import Complain, Document

from libra_schemas.config import Config
from libra_schemas.config.check import KINDS
from libra_schemas.places import Finding
from libra_schemas.problems import findings

NUMERIC = "expected a numeric address such as 192.0.2.10"


def web(document: Document, **changes: Any) -> Document:
    document["services"]["web"] |= changes
    return document


def front(document: Document, **changes: Any) -> Document:
    document["instances"]["front"] |= changes
    return document


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        pytest.param(
            {"preempt": "whn-synced"},
            "instances.front.preempt: expected true, false, when-synced or a delay such as 30s",
            id="one message for a value of three kinds",
        ),
        pytest.param(
            {"priority": "high"},
            "instances.front.priority: expected a number from 1 to 255,"
            " or one per node such as {a: 150, b: 100}",
            id="a number or a mapping",
        ),
        pytest.param(
            {"unicast": {"a": ["10.1.0"], "b": "10.1.0.2"}},
            "instances.front.unicast.a[0]: expected an address per node such as"
            " {a: 10.0.0.1, b: 10.0.0.2}, true or false",
            id="in one of several lists",
        ),
        pytest.param(
            {"unicast": {"a": ["nowhere"], "b": "10.1.0.2"}},
            f"instances.front.unicast.a[0]: {NUMERIC}, not the name nowhere"
            " (`getent hosts nowhere` tells it)",
            id="a name in one of several lists",
        ),
        pytest.param(
            {"priority": {"a": 500, "b": 100}},
            "instances.front.priority.a: expected a whole number from 1 to 255",
            id="the branch that was meant",
        ),
        pytest.param(
            {"addresses": ["192.0.2.10/24", {"address": "192.0.2.11/24"}]},
            "instances.front.addresses[1].interface: is missing (as in interface: eth0)",
            id="a mapping in place of text",
        ),
        pytest.param(
            {"addresses": "192.0.2.10/24"},
            "instances.front.addresses: expected a list (as in addresses: [192.0.2.10/24])",
            id="no list",
        ),
        pytest.param(
            {"addresses": []},
            "instances.front.addresses: needs at least 1 entry (as in addresses: [192.0.2.10/24])",
            id="an empty list",
        ),
        pytest.param(
            {"interval": "1h"},
            "instances.front.interval: must be between 10ms and 40.95s (version 2: 1s to 255s)",
            id="a field's own rule",
        ),
    ],
)
def test_one_mistake_in_an_instance_is_one_problem(
    document: Document, complaints: Complain, changes: Document, complaint: str
) -> None:
    assert complaints(front(document, **changes)) == [complaint]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        pytest.param(
            {"check": "tpc"},
            "services.web.check.tpc: unknown key 'tpc' (did you mean tcp?)",
            id="a mistyped kind",
        ),
        pytest.param(
            {"check": {"http": {"pth": "/"}}},
            "services.web.check.http.pth: unknown key 'pth' (did you mean path?)",
            id="deep in a union",
        ),
        pytest.param(
            {"check": [{"tcp": None}, {"tcp": None, "address": "10.0.0"}]},
            "services.web.check[1].address: expected an IP address such as 10.0.0.2 or 2001:db8::2",
            id="a union in a union",
        ),
        pytest.param(
            {"check": {"every": "1s"}},
            f"services.web.check: name exactly one of {', '.join(KINDS)}",
            id="a rule over a value of several kinds",
        ),
        pytest.param(
            {"check": {"http": {"status": "abc"}}},
            "services.web.check.http.status: expected an HTTP status or a range such as 200-299",
            id="one status in place of a list",
        ),
        pytest.param(
            {"check": 5},
            "services.web.check: expected a kind such as tcp, a check such as"
            " {http: {path: /healthz}}, or a list of them",
            id="another kind of value",
        ),
        pytest.param(
            {"backends": {"w1": "10.0.1:80"}},
            "services.web.backends.w1: expected an address such as 192.0.2.10:80 or"
            " [2001:db8::10]:80, not '10.0.1'",
            id="a short form",
        ),
        pytest.param(
            {"backends": {"w1": "www.example.net:80"}},
            f"services.web.backends.w1: {NUMERIC}:80, not the name www.example.net"
            " (`getent hosts www.example.net` tells it)",
            id="a name in a short form",
        ),
        pytest.param(
            {"check": {"tcp": None, "address": "www"}},
            f"services.web.check.address: {NUMERIC}, not the name www"
            " (`getent hosts www` tells it)",
            id="a name as a check's address",
        ),
        pytest.param(
            {"check": {"tcp": None, "bind": "www"}},
            f"services.web.check.bind: {NUMERIC}, not the name www (`getent hosts www` tells it)",
            id="a name among several kinds of value",
        ),
        pytest.param(
            {"hold": "on"},
            "services.web.hold: expected true or false (YAML 1.2 reads on as text: write true)",
            id="a word that YAML 1.1 took for true",
        ),
        pytest.param(
            {"hold": "5s"},
            "services.web.hold: expected true or false, or its port as in {port: 80}"
            " (a hold has no time: write hold: true)",
            id="a hold with a time",
        ),
        pytest.param(
            {"backends": {"w 1": "10.0.1.11:80"}},
            "services.web.backends.w 1: a name starts with a letter or digit and holds at most 63"
            " letters, digits, - and _",
            id="a key that is no name",
        ),
        pytest.param(
            {"address": ["192.0.2.10:80"]},
            "services.web.address: a list of addresses is not in this release yet"
            " (one service each)",
            id="a list of addresses",
        ),
        pytest.param(
            {"address": "192.0.2.10:8000-8010"},
            "services.web.address: a range of ports is not in this release yet (one service each)",
            id="a range of ports",
        ),
    ],
)
def test_one_mistake_in_a_service_is_one_problem(
    document: Document, complaints: Complain, changes: Document, complaint: str
) -> None:
    assert complaints(web(document, **changes)) == [complaint]


def test_a_finding_names_the_path_in_the_document_not_in_the_models(document: Document) -> None:
    web(document, check={"tcp": {"sned": "x"}})
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(document)
    path = ("services", "web", "check", "tcp", "sned")
    expected = Finding(path, "unknown key 'sned'", "did you mean send?", on_key=True)
    assert findings(caught.value, document) == (expected,)

from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

BACKENDS = {"w1": "10.0.1.11:80"}
ITSELF = "the service itself: what goes there comes back (write the address of the server)"
FWMARK = {"address": None, "fwmark": 7, "sorry": None, "check": "icmp"}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        pytest.param(
            {"backends": {"w1": "[2001:db8::1]:80"}},
            "backends.w1: 2001:db8::1 is no IPv4 address as its service's"
            " (only forward: tun may mix families)",
            id="another family",
        ),
        pytest.param(
            {"sorry": {"address": "[2001:db8::1]:80", "forward": "dr"}},
            "sorry.address: 2001:db8::1 is no IPv4 address as its service's"
            " (only forward: tun may mix families)",
            id="a sorry server of another family",
        ),
        pytest.param(
            {"backends": {"w1": "10.0.1.11:80", "w2": "10.0.1.11:80"}},
            "backends.w2: w1 has the address 10.0.1.11:80 already",
            id="an address twice",
        ),
        pytest.param(
            {"sorry": "10.0.1.11:80", "backends": BACKENDS},
            "sorry: w1 has the address 10.0.1.11:80 already",
            id="a backend as its own sorry server",
        ),
        pytest.param(
            {"address": "[2001:db8::1]:80", "sorry": None, "backends": {"w1": "fd00::11:80"}},
            "backends.w1: a port is missing (write [fd00::11]:80, or [fd00::11:80] with a port)",
            id="an IPv6 address that may end in a port",
        ),
        pytest.param(
            {"backends": {"w1": {"address": "192.0.2.10:80"}}},
            f"backends.w1.address: 192.0.2.10:80 is {ITSELF}",
            id="the service as its own backend",
        ),
        pytest.param(
            {"address": "192.0.2.10", "persistence": "5m", "sorry": None,
             "backends": {"w1": "192.0.2.10:8080"}},
            f"backends.w1: 192.0.2.10:8080 is {ITSELF}",
            id="a port of a service that takes every port",
        ),
        pytest.param(
            {"forward": "dr", "backends": {"w1": "10.0.1.11:8080"}},
            "backends.w1: forward: dr keeps port 80 (give the same port or use forward: nat)",
            id="a port that direct routing cannot translate",
        ),
        pytest.param(
            {"backends": {"w1": {"address": "10.0.1.11:8080", "forward": "tun"}}},
            "backends.w1.address: forward: tun keeps port 80"
            " (give the same port or use forward: nat)",
            id="a port that a tunnel cannot translate",
        ),
        pytest.param(
            {"backends": {"w1": "10.0.1.11"}, "check": "icmp"},
            "backends.w1: a port is missing (write 10.0.1.11:80)",
            id="no port",
        ),
        pytest.param(
            {"backends": {"w1": "10.0.1.11"}, "check": ["tcp", "udp"]},
            "backends.w1: a port is missing (write 10.0.1.11:80)",
            id="no port, which checks ask too",
        ),
        pytest.param(
            FWMARK | {"backends": {"w1": "10.0.1.11:80"}, "forward": "dr"},
            "backends.w1: a port cannot be translated by forward: dr (leave the port out)",
            id="a port behind a mark",
        ),
        pytest.param(
            {"protocol": "udp"} | {"backends": BACKENDS},
            "backends.w1: nothing checks this backend"
            " (give it or its service a check such as icmp, or assume_up: true)",
            id="nobody checks",
        ),
        pytest.param(
            {"check": [], "backends": BACKENDS},
            "backends.w1: nothing checks this backend"
            " (give it or its service a check such as icmp, or assume_up: true)",
            id="an empty list of checks",
        ),
        pytest.param(
            FWMARK | {"check": "tcp", "backends": {"w1": "10.0.1.11"}},
            "backends.w1: the tcp check has no port to ask (write port: in the check)",
            id="a check without a port",
        ),
        pytest.param(
            FWMARK | {"check": {"smtp": {}}, "backends": {"w1": "10.0.1.11"}},
            "backends.w1: the smtp check has no port to ask (write port: in the check)",
            id="a check of another kind without a port",
        ),
        pytest.param(
            {"quorum": 3, "hysteresis": 2},
            "quorum: quorum and hysteresis ask for 5, all weights together are 4",
            id="a quorum that is never reached",
        ),
        pytest.param(
            {"backends": {"w1": {"address": "10.0.1.11:80", "lower": 20}}},
            "backends.w1.lower: lower means nothing without upper",
            id="a lower threshold alone, which the kernel refuses",
        ),
        pytest.param(
            {"backends": {"w1": {"address": "10.0.1.11:80", "upper": 10, "lower": 20}}},
            "backends.w1.lower: lower is above upper 10",
            id="thresholds the wrong way round",
        ),
    ],
)  # fmt: skip
def test_a_pool_that_cannot_work_is_told(
    document: Document, complaints: Complain, changes: dict[str, Any], complaint: str
) -> None:
    document["services"]["web"] |= changes
    assert complaints(document) == [f"services.web.{complaint}"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"backends": {"w1": "10.0.1.11:8080"}}, id="NAT translates ports"),
        pytest.param({"sorry": "192.0.2.10:8080"}, id="another port of the service's address"),
        pytest.param(
            {"forward": "tun", "backends": {"w1": "[2001:db8::1]:80"}, "sorry": None},
            id="a tunnel mixes families",
        ),
        pytest.param(FWMARK | {"backends": {"w1": "10.0.1.11:80"}}, id="NAT behind a mark"),
        pytest.param(
            FWMARK | {"backends": {"w1": "10.0.1.11"}, "forward": "dr"}, id="DR behind a mark"
        ),
        pytest.param(
            {"address": "192.0.2.10", "persistence": "5m", "sorry": None, "check": "icmp",
             "forward": "dr", "backends": {"w1": "10.0.1.11"}},
            id="every port",
        ),
        pytest.param({"protocol": "udp", "assume_up": True}, id="assumed up"),
        pytest.param({"backends": {}}, id="an empty pool"),
        pytest.param({"backends": {"w1": {"address": "10.0.1.11:80", "weight": 0}}}, id="weight 0"),
        pytest.param(
            FWMARK | {"backends": {"w1": "10.0.1.11"}, "check": {"tcp": None, "port": 80}},
            id="a check with a port of its own",
        ),
        pytest.param(
            {"backends": {"w1": {"address": "10.0.1.11:80", "upper": 20, "lower": 10}}},
            id="thresholds",
        ),
    ],
)  # fmt: skip
def test_a_pool_that_can_work_is_fine(
    document: Document, complaints: Complain, changes: dict[str, Any]
) -> None:
    document["services"]["web"] |= changes
    assert complaints(document) == []

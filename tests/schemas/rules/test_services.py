from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

from libra_schemas.config import ServiceConfig
from libra_schemas.rules.services import family_of

MARKED = {"fwmark": 7, "check": "icmp", "backends": {"w1": "10.0.1.11"}}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"persistence": "1500ms"},
            "persistence: the kernel counts persistence in whole seconds",
        ),
        ({"persistence": "25d"}, "persistence: the kernel remembers for 24 days at most"),
        ({"persistence_prefix": 24}, "persistence_prefix: means nothing without persistence"),
        (
            {"persistence": "5m", "persistence_prefix": 64},
            "persistence_prefix: an IPv4 prefix has at most 32 bits",
        ),
        (
            {"scheduler": "mh", "flags": ["mh-port", "sh-port"]},
            "flags[1]: sh-port is a flag of scheduler sh, not mh",
        ),
        ({"family": "ipv6"}, "family: family is for fwmark only (leave it out)"),
        (
            {"address": "192.0.2.10"},
            "address: a port is missing (a bare address is every port, which takes persistence)",
        ),
        ({"quorum": 2, "hysteresis": 2}, "hysteresis: must be smaller than quorum"),
        ({"one_packet": True}, "one_packet: is for protocol: udp only"),
    ],
)
def test_options_fit_each_other(
    document: Document, complaints: Complain, changes: dict[str, Any], complaint: str
) -> None:
    document["services"]["web"] |= changes
    assert complaints(document) == [f"services.web.{complaint}"]


@pytest.mark.parametrize(
    "changes",
    [
        {"persistence": "5m", "persistence_prefix": 24},
        {"scheduler": "sh", "flags": ["sh-port", "sh-fallback"]},
        {"scheduler": "mh", "flags": ["flag-1"]},
    ],
)
def test_options_that_fit_are_fine(
    document: Document, complaints: Complain, changes: dict[str, Any]
) -> None:
    document["services"]["web"] |= changes
    assert complaints(document) == []


@pytest.mark.parametrize("changes", [{"fwmark": 7}, {"address": None}])
def test_a_service_is_found_in_one_way(
    document: Document, complaints: Complain, changes: dict[str, Any]
) -> None:
    document["services"]["web"] |= {"check": "icmp"} | changes
    assert complaints(document) == ["services.web: name either address or fwmark"]


def test_two_services_on_one_address_are_one_entry_of_the_kernel(
    document: Document, complaints: Complain
) -> None:
    document["services"]["copy"] = document["services"]["web"] | {"sorry": None}
    document["services"]["udp"] = document["services"]["web"] | {"protocol": "udp", "check": "icmp"}
    assert complaints(document) == [
        "services.copy.address: service web is tcp 192.0.2.10:80 already"
    ]


def test_two_services_on_one_mark_are_one_entry_too(
    document: Document, complaints: Complain
) -> None:
    document["services"] |= {"m": MARKED, "n": MARKED}
    assert complaints(document) == ["services.n.fwmark: service m is mark 7 already"]


@pytest.mark.parametrize(
    ("service", "family"),
    [
        ({"address": "192.0.2.1:80"}, 4),
        ({"address": "[2001:db8::1]:80"}, 6),
        ({"fwmark": 7}, 4),
        ({"fwmark": 7, "family": "ipv6"}, 6),
        ({}, None),
    ],
)
def test_a_service_has_its_addresss_family_or_says_it(
    service: dict[str, Any], family: int | None
) -> None:
    assert family_of(ServiceConfig.model_validate(service)) == family

from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

THROUGH = {"tcp": {}, "data_path": True}
NAT = (
    "through nat a probe sees what it sees without: its answers come back to the director's own "
    "address, whatever way clients' answers take (leave it out, or use forward: dr or tun)"
)


@pytest.fixture
def through(document: Document) -> dict[str, Any]:
    """Give the service of *document*, whose backends are checked through IPVS."""
    web: dict[str, Any] = document["services"]["web"]
    web |= {"forward": "dr", "check": dict(THROUGH)}
    return web


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"forward": "tun"},
        {"check": [THROUGH, "icmp"]},
        {"check": THROUGH | {"port": 80, "bind": {"a": "10.0.0.9"}}},
        {"forward": "nat", "check": "tcp", "backends": {
            "w1": {"address": "10.0.1.11:80", "forward": "tun", "check": THROUGH}}},
    ],
)  # fmt: skip
def test_a_check_through_ipvs_is_fine(
    document: Document, complaints: Complain, through: dict[str, Any], change: dict[str, Any]
) -> None:
    through |= change
    assert complaints(document) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"forward": "nat"}, f"check.data_path: {NAT}"),
        (
            {"check": {"icmp": {}, "data_path": True}},
            "check.data_path: a check icmp asks no port of the service (leave it out)",
        ),
        (
            {"check": ["tcp", THROUGH | {"address": "10.9.9.9"}]},
            (
                "check[1].address: a probe through IPVS goes to the service's own address "
                "(leave it out)"
            ),
        ),
        (
            {"check": THROUGH | {"fwmark": 7}},
            "check.fwmark: a probe through IPVS carries a mark of its own (leave it out)",
        ),
        (
            {"check": THROUGH | {"interface": "eth0"}},
            (
                "check.interface: a probe through IPVS leaves as its clients' packets do "
                "(leave it out)"
            ),
        ),
        (
            {"check": THROUGH | {"port": 81}},
            "check.port: a probe through IPVS goes to the service's own port 80 (leave it out)",
        ),
        (
            {"check": THROUGH | {"bind": "192.0.2.10"}},
            (
                "check.bind: answers to a virtual address come back to who owns it "
                "(write an address of the node itself)"
            ),
        ),
    ],
)
def test_what_a_probe_through_ipvs_cannot_be_is_told_where_it_stands(
    document: Document,
    complaints: Complain,
    through: dict[str, Any],
    change: dict[str, Any],
    complaint: str,
) -> None:
    through |= change
    found = complaints(document)
    assert f"services.web.{complaint}" in found
    assert len(set(found)) <= 2


def test_one_backend_by_nat_is_enough(
    document: Document, complaints: Complain, through: dict[str, Any]
) -> None:
    through["backends"]["w1"]["forward"] = "nat"
    assert complaints(document) == [f"services.web.check.data_path: {NAT}"]
    through["backends"]["w1"]["check"] = "tcp"
    assert complaints(document) == []


def test_a_marked_service_has_no_address_to_probe(
    document: Document, complaints: Complain, through: dict[str, Any]
) -> None:
    del through["address"]
    through |= {"fwmark": 7, "sorry": "10.0.1.99", "check": THROUGH | {"port": 80}}
    through["backends"] = {"w1": "10.0.1.11"}
    assert complaints(document) == [
        (
            "services.web.check.data_path: a service that is found by mark has no address to probe "
            "(leave it out)"
        )
    ]


def test_each_node_needs_an_address_of_the_services_family(
    document: Document, complaints: Complain, through: dict[str, Any]
) -> None:
    document["instances"]["front"]["addresses"] = ["2001:db8::10/64"]
    through |= {
        "address": "[2001:db8::10]:80",
        "sorry": "[2001:db8::99]:80",
        "backends": {"w1": "[2001:db8::11]:80"},
        "check": THROUGH | {"bind": {"a": "2001:db8::2"}},
    }
    message = "node b would probe 2001:db8::10 from 10.0.0.3, of another family"
    hint = "(write bind: {b: ADDRESS} with an IPv6 address of it)"
    assert complaints(document) == [f"services.web.check.data_path: {message} {hint}"]


def test_a_range_of_marks_must_suffice(
    document: Document, complaints: Complain, through: dict[str, Any]
) -> None:
    through["backends"] = {f"w{n}": f"10.1.{n // 250}.{n % 250 + 1}:80" for n in range(256)}
    document["ipvs"] = {"marks": "0x100/24"}
    assert complaints(document) == []
    document["services"]["far"] = {"fwmark": 7, "assume_up": True}
    assert complaints(document) == []
    document["services"]["marked"] = {"fwmark": 0x100, "assume_up": True}
    assert complaints(document) == [
        "ipvs.marks: 256 marks are too few: 257 are needed (write fewer bits)"
    ]


def test_the_mark_of_a_check_is_no_mark_of_a_way(
    document: Document, complaints: Complain, through: dict[str, Any]
) -> None:
    through["backends"] = {f"w{n}": f"10.1.{n // 250}.{n % 250 + 1}:80" for n in range(256)}
    document["ipvs"] = {"marks": "0x100/24"}
    document["services"]["other"] = {
        "address": "192.0.2.99:80",
        "check": {"tcp": {}, "fwmark": 0x1FF},
        "backends": {"w": "10.3.0.1:80"},
    }
    assert complaints(document) == [
        "ipvs.marks: 256 marks are too few: 257 are needed (write fewer bits)"
    ]


def test_the_names_of_private_services_are_reserved(
    document: Document, complaints: Complain
) -> None:
    document["services"]["path-4c000001"] = {"fwmark": 9, "assume_up": True}
    assert complaints(document) == [
        "services.path-4c000001: the name 'path-4c000001' is reserved for a data path (rename it)"
    ]

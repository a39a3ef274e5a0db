"""Virtual MACs: what can be one, and how its interface is called."""

from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

BACK = {"interface": "eth1", "vrid": 51, "addresses": ["10.0.1.1/24"], "vmac": True}
SIX = ["192.0.2.10/24", "2001:db8::10/64"]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"vmac": True, "unicast": True},
            (
                "vmac: adverts to single nodes come from the MAC of the instance's interface "
                "(write vmac: {xmit_base: true}, or leave unicast out)"
            ),
        ),
        (
            {"vmac": {"name": "x"}, "unicast": True},
            (
                "vmac: adverts to single nodes come from the MAC of the instance's interface "
                "(write vmac: {xmit_base: true}, or leave unicast out)"
            ),
        ),
        (
            {"vmac": True, "priority": {"a": 150, "b": 255}, "preempt": True},
            (
                "vmac: priority 255 is for who has the addresses on the interface itself, "
                "whose MAC would answer, and b has it (write a priority of 254 or less)"
            ),
        ),
        (
            {"vmac": True, "addresses": [{"address": "10.0.1.1/24", "interface": "eth1"}]},
            "vmac: none of the addresses is on the instance's interface (leave it out)",
        ),
        (
            {"vmac": {"name": "sixteencharacter"}},
            "vmac.name:",
        ),
        (
            {"vmac": {"name": "fourteen-chars"}, "addresses": SIX},
            (
                "vmac.name: the interface of the IPv6 router would be called fourteen-chars-6 "
                "(shorten the name: an interface has at most 15 characters)"
            ),
        ),
        (
            {"vmac": {"name": "eth0"}},
            "vmac.name: instance front has interface eth0 (write vmac: {name: ANOTHER})",
        ),
    ],
)
def test_what_can_be_no_virtual_mac_is_told(
    document: Document, complaints: Complain, changes: dict[str, Any], complaint: str
) -> None:
    document["instances"]["front"] |= changes
    (found,) = complaints(document)
    assert found.startswith(f"instances.front.{complaint}")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"vmac": True}, id="a virtual MAC"),
        pytest.param({"vmac": True, "addresses": SIX}, id="two of them"),
        pytest.param({"vmac": False, "unicast": True}, id="none"),
        pytest.param({"vmac": {"name": "fifteen-letters"}}, id="the longest name"),
        pytest.param({"vmac": {"xmit_base": True}, "unicast": True}, id="adverts from the base"),
        pytest.param({"vmac": True, "version": 2}, id="version 2"),
        pytest.param({"vmac": True, "seal": {"key_file": "/k"}}, id="sealed"),
    ],
)
def test_what_can_be_one_is_fine(
    document: Document, complaints: Complain, changes: dict[str, Any]
) -> None:
    document["instances"]["front"] |= changes
    assert complaints(document) == []


def test_two_of_one_name_are_told_and_another_name_mends_it(
    document: Document, complaints: Complain
) -> None:
    document["instances"]["front"] |= {"vmac": True}
    document["instances"]["back"] = BACK
    (found,) = complaints(document)
    assert found == (
        "instances.back.vmac: the vmac of instance front is called vrrp4-51 "
        "(write vmac: {name: ANOTHER})"
    )
    document["instances"]["back"] = BACK | {"vmac": {"name": "back"}}
    assert complaints(document) == []

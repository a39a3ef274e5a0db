"""Holds that cannot be kept are told where they stand."""

from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

PORT = "(name the TCP port to connect to: hold: {port: 80})"


@pytest.mark.parametrize(
    ("service", "complaint"),
    [
        pytest.param(
            {"protocol": "udp", "check": "icmp", "hold": True},
            f"services.web.hold: a udp backend has no TCP port of its own to hold {PORT}",
            id="udp",
        ),
        pytest.param(
            {"address": None, "fwmark": 7, "check": "icmp", "hold": {"enabled": True}},
            f"services.web.hold: w1 has no port to hold {PORT}",
            id="fwmark",
        ),
        pytest.param(
            {"assume_up": True, "hold": True},
            "services.web.hold: w1 has no check that a hold could hurry "
            "(give it a check such as tcp)",
            id="no check",
        ),
    ],
)
@pytest.mark.parametrize("of_backend", [False, True])
def test_a_hold_that_cannot_be_kept_is_told_where_it_stands(
    document: Document,
    complaints: Complain,
    service: dict[str, Any],
    complaint: str,
    of_backend: bool,
) -> None:
    hold = service["hold"]
    backend: dict[str, Any] = {"address": "10.0.1.11" if service.get("fwmark") else "10.0.1.11:80"}
    if of_backend:
        service = {key: value for key, value in service.items() if key != "hold"}
        backend["hold"] = hold
        complaint = complaint.replace("services.web.hold", "services.web.backends.w1.hold")
    document["services"]["web"] = {
        "address": "192.0.2.10:80",
        "backends": {"w1": backend},
        **service,
    }
    if document["services"]["web"]["address"] is None:
        del document["services"]["web"]["address"]
    assert complaints(document) == [complaint]


def test_what_is_wrong_with_a_services_hold_is_said_once(
    document: Document, complaints: Complain
) -> None:
    pool = {f"w{n}": f"10.0.1.1{n}:80" for n in range(3)}
    web = {"address": "192.0.2.10:80", "protocol": "udp", "check": "icmp", "backends": pool}
    document["services"]["web"] = web | {"hold": True}
    assert len(complaints(document)) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"hold": True},
        {"hold": False, "protocol": "udp", "check": "icmp"},
        {"hold": {"port": 22}, "protocol": "udp", "check": "icmp"},
    ],
)
def test_a_hold_that_can_be_kept_is_fine(
    document: Document, complaints: Complain, more: dict[str, Any]
) -> None:
    document["services"]["web"] = {
        "address": "192.0.2.10:80",
        "backends": {"w1": "10.0.1.11:80"},
        **more,
    }
    assert complaints(document) == []


@pytest.mark.parametrize(
    ("hold", "complaint"),
    [
        ({"prot": 80}, ".prot: unknown key 'prot' (did you mean port?)"),
        ({"port": 0}, ".port: expected a whole number from 1 to 65535"),
        ("yes please", ""),
    ],
)
def test_what_is_no_hold_is_told_with_its_place(
    document: Document, complaints: Complain, hold: object, complaint: str
) -> None:
    document["services"]["web"]["hold"] = hold
    (said,) = complaints(document)
    assert said.startswith(f"services.web.hold{complaint}")

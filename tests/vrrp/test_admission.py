"""What a router takes for its own, and what it refuses although it is well formed."""

from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pytest

from libra_vrrp.admission import admit
from libra_vrrp.codec import GROUP, Advertisement, MalformedAdvertisement, Reason, Received
from libra_vrrp.router import Router

OURS, THEIRS = IPv4Address("10.9.0.1"), IPv4Address("10.9.0.2")
VIP = (IPv4Address("192.0.2.10"),)
ROUTER = Router(vrid=51, priority=100, address=OURS, addresses=VIP)
OLD = replace(ROUTER, version=2)
PASS = replace(OLD, authentication=b"s3cret")
FAR = replace(ROUTER, peers=(THEIRS,))
SAID = Advertisement(51, 150, 100, VIP)
SAID_2 = replace(SAID, version=2)
KNOWN = {"auth_type": 1, "auth_data": b"s3cret\0\0"}


def received(said: Advertisement, **changed: Any) -> Received:
    return replace(Received(said, THEIRS, GROUP[4]), **changed)


@pytest.mark.parametrize(
    ("router", "heard"),
    [
        pytest.param(ROUTER, received(SAID), id="version 3"),
        pytest.param(ROUTER, received(replace(SAID, interval=25)), id="an interval to learn"),
        pytest.param(ROUTER, received(replace(SAID, addresses=())), id="other addresses"),
        pytest.param(OLD, received(SAID_2), id="version 2"),
        pytest.param(OLD, received(SAID_2, auth_data=b"whatever"), id="unused authentication data"),
        pytest.param(PASS, received(SAID_2, **KNOWN), id="the password"),
        pytest.param(FAR, received(SAID, destination=OURS), id="a peer"),
    ],
)
def test_what_is_for_us_is_taken(router: Router, heard: Received) -> None:
    assert admit(router, heard) == heard.advertisement


@pytest.mark.parametrize(
    ("router", "heard", "reason"),
    [
        pytest.param(ROUTER, received(SAID_2), Reason.VERSION, id="version 2 for version 3"),
        pytest.param(OLD, received(SAID), Reason.VERSION, id="version 3 for version 2"),
        pytest.param(ROUTER, received(SAID, destination=OURS), Reason.UNICAST, id="unicast"),
        pytest.param(FAR, received(SAID), Reason.MULTICAST, id="multicast for unicast"),
        pytest.param(
            FAR,
            received(SAID, destination=OURS, source=IPv4Address("10.9.0.3")),
            Reason.PEER,
            id="a stranger",
        ),
        pytest.param(
            OLD, received(SAID_2, **KNOWN), Reason.AUTH_TYPE, id="a password nobody asked"
        ),
        pytest.param(PASS, received(SAID_2), Reason.AUTH_TYPE, id="no password"),
        pytest.param(PASS, received(SAID_2, auth_type=2), Reason.AUTH_TYPE, id="AH inside"),
        pytest.param(
            PASS,
            received(SAID_2, auth_type=1, auth_data=b"s3cret\0x"),
            Reason.AUTH_DATA,
            id="a password that only begins alike",
        ),
        pytest.param(
            OLD, received(replace(SAID_2, interval=200)), Reason.INTERVAL, id="another interval"
        ),
    ],
)
def test_what_is_not_for_us_is_refused_with_its_reason(
    router: Router, heard: Received, reason: Reason
) -> None:
    with pytest.raises(MalformedAdvertisement) as refusal:
        admit(router, heard)
    assert (refusal.value.reason, refusal.value.vrid) == (reason, 51)
    assert "s3cret" not in str(refusal.value)

"""What the machine tells its guard arrives, or is malformed."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp import routing
from libra_vrrp.guarding import (
    LastWord,
    Message,
    Revoked,
    Settled,
    Superseded,
    Tethered,
    Untethered,
    Will,
)
from libra_vrrp.routing import Entry, Kind, Route, Rule
from libra_vrrp.rtnetlink import Target
from libra_vrrp.wills import MORE, PIECE, MalformedWill, dumps, loads, pieces

WORD = LastWord(2, "224.0.0.18", b"\x45\x00")
FRONT = Will("front", 1.0, (Target(2, IPv4Address("192.0.2.10")),), (WORD,))
BACK = Will(
    "back", 0.1, (Target(3, IPv6Address("2001:db8::10")),), (LastWord(3, "ff02::12", b"\x60"),)
)
RULE = Entry(Kind.RULE, b"\x02", "rule 100: from all lookup 7")
ROUTE = Entry(Kind.ROUTE, b"\x0a", "route ::/0 dev eth0")
ROUTED = replace(FRONT, targets=(Target(2, IPv4Address("192.0.2.10"), 24),), entries=(ROUTE, RULE))
TETHERS = (Tethered("b 77.1"), Untethered("b 77.1"), Superseded("b"))


VEILED = replace(FRONT, vmac=7)


@pytest.mark.parametrize(
    "message", [FRONT, BACK, ROUTED, VEILED, Revoked("front"), Settled(), *TETHERS]
)
def test_every_message_arrives_as_it_was_sent(message: Message) -> None:
    assert loads(dumps(message)) == message


def test_the_bytes_of_a_will() -> None:
    assert dumps(FRONT) == (
        b'{"will": "front", "interval": 1.0, "targets": [[2, "192.0.2.10"]], '
        b'"words": [[2, "224.0.0.18", "4500"]], "entries": []}'
    )


@given(st.integers(0, 9000))
def test_a_message_of_any_length_goes_in_pieces_that_every_socket_takes(count: int) -> None:
    will = replace(FRONT, targets=FRONT.targets * count)
    *begun, last = pieces(will)
    assert all(one.startswith(MORE) for one in begun)
    assert not last.startswith(MORE)
    assert all(len(one) <= PIECE + len(MORE) for one in (*begun, last))
    whole = b"".join(one.removeprefix(MORE) for one in (*begun, last))
    assert loads(whole) == will


@given(st.binary() | st.sampled_from([b"[]", b"7", b'{"will": 1}', b"{}", b'{"will": "a"}']))
def test_anything_else_is_malformed(line: bytes) -> None:
    with pytest.raises(MalformedWill):
        loads(line)


def test_routes_and_rules_are_called_by_name_in_the_will() -> None:
    heard = loads(dumps(ROUTED))
    assert isinstance(heard, Will)
    assert [entry.said for entry in heard.entries] == [ROUTE.said, RULE.said]


def test_the_largest_will_is_one_message_that_the_guard_takes_whole() -> None:
    """Guard and machine talk over a socket whose messages are read into 256 KiB."""
    net = ip_network("2001:db8:ffff:ffff:ffff:ffff:ffff:fff0/124")
    far = IPv6Address("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")
    targets = tuple(Target(1000, far + n, 64) for n in range(90 + 1000))
    table = 0xFFFFFFFF
    way = routing.route(Route(net, "interface-named", far, far, table, 0xFFFFFFFF), 1000)
    rule = Rule(6, 32765, net, net, "interface-named", "interface-other", (table, table), table)
    will = Will("front", 1.0, targets, FRONT.words * 100, (way, routing.rule(rule)) * 255)
    assert len(dumps(will)) < 1 << 18

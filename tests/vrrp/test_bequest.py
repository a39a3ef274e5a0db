"""What is left to a successor survives the file."""

import json
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.bequest import NEVER, Bequest, parse, render
from libra_vrrp.guarding import Estate, LastWord, Will
from libra_vrrp.routing import Entry, Kind
from libra_vrrp.rtnetlink import Target
from libra_vrrp.wills import MalformedWill

FRONT = Will(
    "front",
    0.25,
    (Target(2, IPv4Address("192.0.2.10")), Target(3, IPv6Address("2001:db8::10"), 64)),
    (LastWord(2, "224.0.0.18", b"\x45\0"),),
    (Entry(Kind.RULE, b"\2", "rule 100: from all lookup 7"),),
)
LEFT = Bequest("boot 4026531840", 100.0, 0.125, (Estate(FRONT, 100.375),), 90.5)
NO_WILL = b'{"place": "x", "died_at": 1, "needs": 0, "left": [[1, "{\\"settled\\": true}"]]}'


def test_a_bequest_is_read_as_it_was_written() -> None:
    assert parse(render(LEFT)) == LEFT
    nothing = Bequest("boot", 1.0, 0.0, ())
    assert parse(render(nothing)) == nothing


def test_one_of_an_earlier_release_knows_of_no_unclean_exit() -> None:
    before = json.loads(render(LEFT))
    del before["unclean_at"]
    assert parse(json.dumps(before).encode()) == replace(LEFT, unclean_at=NEVER)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="no fields"),
        pytest.param(render(LEFT).replace(b"100.375", b'"soon"'), id="no time"),
        pytest.param(render(LEFT).replace(b"192.0.2.10", b"192.0.2.999"), id="no address"),
        pytest.param(NO_WILL, id="no will"),
    ],
)
def test_what_makes_no_sense_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedWill):
        parse(content)


@given(st.binary(max_size=60))
def test_any_content_is_a_bequest_or_refused(content: bytes) -> None:
    with pytest.raises(MalformedWill):
        parse(content)

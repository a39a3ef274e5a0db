"""Frames: golden bytes both ways, and whatever else comes."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.tether.message import (
    Bye,
    Frame,
    Heard,
    Hello,
    MalformedTether,
    Plain,
    Reason,
    Said,
    Sealed,
    Standing,
    clear,
    dumps,
    encode,
    loads,
    split,
)

HELLO = Hello(b"senderof", bytes(range(16)))
GOLDEN = [
    pytest.param(HELLO, b"\x1d\x01LTE1senderof" + bytes(range(16)), id="hello"),
    pytest.param(Plain(b"rout", b"\x02\x01"), b"\x07\x02rout\x02\x01", id="plain"),
    pytest.param(
        Sealed(b"rout", b"keyi", 258, b"hidden"),
        b"\x13\x03routkeyi\x00\x00\x01\x02hidden",
        id="sealed",
    ),
    pytest.param(Heard(), b"\x01\x04", id="heard"),
]
SAID = [
    pytest.param(Standing(150, IPv4Address("10.0.0.1")), b"\x01\x96\x0a\x00\x00\x01", id="ipv4"),
    pytest.param(
        Standing(0, IPv6Address("fe80::1")), b"\x01\x00\xfe\x80" + bytes(13) + b"\x01", id="ipv6"
    ),
    pytest.param(Bye(Reason.STOPPED), b"\x02\x01", id="bye"),
]


@pytest.mark.parametrize(("frame", "octets"), GOLDEN)
def test_a_frame_and_its_octets(frame: Frame, octets: bytes) -> None:
    assert encode(frame) == octets
    assert split(octets) == ((frame,), b"")


@pytest.mark.parametrize(("said", "octets"), SAID)
def test_what_is_said_and_its_octets(said: Said, octets: bytes) -> None:
    assert dumps(said) == octets
    assert loads(octets) == said


def test_what_is_in_clear_of_a_sealed_frame_is_its_beginning() -> None:
    sealed = Sealed(b"rout", b"keyi", 7, b"hidden")
    assert encode(sealed)[1:] == clear(sealed) + b"hidden"


@given(st.lists(st.sampled_from([HELLO, Heard(), Plain(b"rout", b"said")])), st.data())
def test_a_stream_may_come_in_any_pieces(frames: list[Frame], data: st.DataObject) -> None:
    found: list[Frame] = []
    octets, rest = b"".join(map(encode, frames)), b""
    while octets:
        cut = data.draw(st.integers(1, len(octets)))
        more, rest = split(rest + octets[:cut])
        found += more
        octets = octets[cut:]
    assert (found, rest) == (frames, b"")


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_malformed(octets: bytes) -> None:
    try:
        frames, rest = split(octets)
    except MalformedTether:
        return
    assert b"".join(map(encode, frames)) + rest == octets
    assert len(rest) <= 64


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"\x00", id="empty"),
        pytest.param(b"\x41", id="too long to come"),
        pytest.param(b"\x01\x05", id="of no kind"),
        pytest.param(b"\x02\x04x", id="heard and more"),
        pytest.param(b"\x05\x02rout", id="plain without a word"),
        pytest.param(b"\x0d\x03routkeyi\x00\x00\x00\x01", id="sealed without a word"),
        pytest.param(b"\x1d\x01LTE2senderof" + bytes(16), id="another version"),
        pytest.param(b"\x1c\x01LTE1senderof" + bytes(15), id="a short hello"),
        pytest.param(b"GET / HTTP/1.1\r\n", id="http"),
    ],
)
def test_what_is_no_frame_is_malformed(octets: bytes) -> None:
    with pytest.raises(MalformedTether):
        split(octets.ljust(octets[0] + 1, b" ") if octets[:1] == b"G" else octets)


@given(st.binary(max_size=40))
def test_anything_said_is_read_or_malformed(octets: bytes) -> None:
    try:
        assert dumps(loads(octets)) == octets
    except MalformedTether:
        pass
    else:
        assert len(octets) in {2, 6, 18}


@pytest.mark.parametrize("octets", [b"", b"\x01", b"\x01\x96\x0a", b"\x02\x01\x01", b"\x03\x01"])
def test_what_makes_no_sense_about_a_router_is_malformed(octets: bytes) -> None:
    with pytest.raises(MalformedTether):
        loads(octets)

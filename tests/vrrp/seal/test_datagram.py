"""The sealed format as bytes, both ways, and every kind of wrong bytes."""

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.codec import (
    GROUP,
    Advertisement,
    Datagram,
    MalformedAdvertisement,
    decode_packet,
)
from libra_vrrp.codec import decode as decode_message
from libra_vrrp.seal.datagram import (
    Header,
    Inside,
    MalformedSeal,
    Session,
    decode,
    decode_inside,
    encode_header,
    encode_inside,
    is_sealed,
    tag_of,
)

HEADER = Header(
    router=b"\x01\x02\x03\x04",
    key=b"\x0a\x0b\x0c\x0d",
    session=Session(sender=b"\x11" * 8, start=7, salt=bytes(range(0x20, 0x30))),
    counter=258,
)
CLEAR = bytes.fromhex(
    "f100 01020304 0000 0a0b0c0d 1111111111111111 00000007"
    "202122232425262728292a2b2c2d2e2f 0000000000000102"
)
INSIDE = Inside(b"C" * 8, (b"E" * 8, b"F" * 8), b"\x31\x33")
HIDDEN = bytes.fromhex("4343434343434343 02 4545454545454545 4646464646464646 3133")

headers = st.builds(
    Header,
    router=st.binary(min_size=4, max_size=4),
    key=st.binary(min_size=4, max_size=4),
    session=st.builds(
        Session,
        sender=st.binary(min_size=8, max_size=8),
        start=st.integers(0, 2**32 - 1),
        salt=st.binary(min_size=16, max_size=16),
    ),
    counter=st.integers(0, 2**64 - 1),
)
words = st.binary(min_size=8, max_size=8)
insides = st.builds(
    Inside,
    challenge=words,
    echoes=st.lists(words, max_size=32).map(tuple),
    message=st.binary(max_size=64),
)


def test_the_header_lies_in_these_octets() -> None:
    assert encode_header(HEADER) == CLEAR
    assert tag_of(CLEAR) == HEADER.router
    assert decode(CLEAR + HIDDEN + b"T" * 16) == (HEADER, HIDDEN + b"T" * 16)


def test_what_is_hidden_lies_in_these_octets() -> None:
    assert encode_inside(INSIDE) == HIDDEN
    assert decode_inside(HIDDEN) == INSIDE


@given(headers, insides)
def test_every_datagram_survives_the_wire(header: Header, inside: Inside) -> None:
    hidden = encode_inside(inside) + bytes(16)
    assert decode(encode_header(header) + hidden) == (header, hidden)
    assert decode_inside(encode_inside(inside)) == inside


def test_the_checksum_that_a_kernel_writes_is_not_read() -> None:
    summed = CLEAR[:6] + b"\xab\xcd" + CLEAR[8:] + HIDDEN + bytes(16)
    assert decode(summed)[0] == HEADER


def test_more_sessions_than_fit_are_left_out() -> None:
    many = Inside(b"C" * 8, tuple(bytes([n]) * 8 for n in range(40)))
    assert decode_inside(encode_inside(many)).echoes == many.echoes[:32]


@given(st.binary(max_size=100) | st.binary(max_size=100).map(lambda b: CLEAR[:2] + b))
def test_any_bytes_are_read_or_malformed(some: bytes) -> None:
    try:
        header, hidden = decode(some)
    except MalformedSeal:
        assert len(some) < 73 or not is_sealed(some)
    else:
        assert encode_header(header)[:6] + encode_header(header)[8:] + hidden == (
            some[:6] + some[8:]
        )


@given(st.binary(max_size=60))
def test_any_hidden_bytes_are_read_or_malformed(some: bytes) -> None:
    try:
        inside = decode_inside(some)
    except MalformedSeal as wrong:
        assert "inside" in str(wrong) or "echoes" in str(wrong)  # noqa: PT017 - either way is right
    else:
        assert encode_inside(inside) == some


def test_too_many_echoes_are_malformed() -> None:
    with pytest.raises(MalformedSeal, match="33 echoes"):
        decode_inside(b"C" * 8 + bytes([33]) + bytes(33 * 8))


@given(headers, st.binary(min_size=25, max_size=80))
def test_no_vrrp_router_takes_it_for_an_advert(header: Header, hidden: bytes) -> None:
    datagram = encode_header(header) + hidden
    assert is_sealed(datagram)
    assert datagram[0] >> 4 not in {2, 3}
    assert datagram[1] == 0
    with pytest.raises(MalformedAdvertisement, match="version 15"):
        decode_message(Datagram(IPv4Address("10.9.0.1"), GROUP[4], datagram))


def test_an_advert_is_no_sealed_datagram() -> None:
    packet = bytes.fromhex(
        "45c000240025 0000ff70d068 0a090001 e0000012 31339602000aca0cc000020ac000020b"
    )
    said = decode_message(decode_packet(packet)).advertisement
    assert said == Advertisement(51, 150, 10, said.addresses)
    assert not is_sealed(packet[20:])
    with pytest.raises(MalformedSeal, match="begins with 3133"):
        decode(packet[20:] + bytes(80))

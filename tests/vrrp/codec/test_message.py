"""The wire format, against packets of keepalived 2.2.7 and against every kind of wrong bytes."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libra_vrrp.checksum import internet_checksum
from libra_vrrp.codec.advertisement import GROUP, Advertisement, Checksum
from libra_vrrp.codec.malformed import MalformedAdvertisement, Reason
from libra_vrrp.codec.message import Received, decode, encode
from libra_vrrp.codec.packet import Datagram

SOURCE, SIX = IPv4Address("10.9.0.1"), IPv6Address("fe80::ff:fe00:1")
PAIR = (IPv4Address("192.0.2.10"), IPv4Address("192.0.2.11"))
FRONT = Advertisement(vrid=51, priority=150, interval=10, addresses=PAIR)
OLD = Advertisement(vrid=51, priority=150, interval=100, addresses=PAIR, version=2)

# Captured with tcpdump from keepalived 2.2.7 (Debian) in a network namespace.
CAPTURES = [
    pytest.param(
        "10.9.0.1 224.0.0.18 31339602000aca0cc000020ac000020b",
        FRONT,
        Checksum.PSEUDO_HEADER,
        None,
        id="keepalived, priority 150 every 100 ms, two addresses",
    ),
    pytest.param(
        "10.9.0.1 224.0.0.18 31330002000a600dc000020ac000020b",
        Advertisement(51, 0, 10, PAIR),
        Checksum.PSEUDO_HEADER,
        None,
        id="keepalived, shutting down",
    ),
    pytest.param(
        "10.9.0.1 224.0.0.18 3133ff010fff1328c000020a",
        Advertisement(51, 255, 4095, PAIR[:1]),
        Checksum.PSEUDO_HEADER,
        None,
        id="keepalived, owner, longest interval",
    ),
    pytest.param(
        "10.9.0.1 224.0.0.18 3133ff010ffffdc0c000020a",
        Advertisement(51, 255, 4095, PAIR[:1]),
        Checksum.RFC9568,
        None,
        id="the same, summed by hand without pseudo header (RFC 1071)",
    ),
    pytest.param(
        "10.9.0.1 10.9.0.2 31359601003261f8c000020d",
        Advertisement(53, 150, 50, (IPv4Address("192.0.2.13"),)),
        Checksum.PSEUDO_HEADER,
        None,
        id="keepalived, unicast: the checksum covers the peer's address",
    ),
    pytest.param(
        "10.9.0.1 224.0.0.18 213396020001c4b2c000020ac000020b0000000000000000",
        OLD,
        None,
        None,
        id="keepalived, version 2, no authentication: eight octets all the same",
    ),
    pytest.param(
        "10.9.0.1 224.0.0.18 21349601010249a1c000020c7333637265740000",
        Advertisement(52, 150, 200, (IPv4Address("192.0.2.12"),), 2),
        None,
        b"s3cret",
        id="keepalived, version 2, PASS",
    ),
    pytest.param(
        "10.9.0.1 224.0.0.18 213400010102dfa1c000020c7333637265740000",
        Advertisement(52, 0, 200, (IPv4Address("192.0.2.12"),), 2),
        None,
        b"s3cret",
        id="keepalived, version 2, PASS, shutting down",
    ),
    pytest.param(
        "fe80::ff:fe00:1 ff02::12 3136960200320f0c"
        "fe80000000000000000000000000001020010db8000000000000000000000010",
        Advertisement(54, 150, 50, (IPv6Address("fe80::10"), IPv6Address("2001:db8::10"))),
        Checksum.PSEUDO_HEADER,
        None,
        id="keepalived, IPv6",
    ),
    pytest.param(
        "2001:db8::1 2001:db8::2 313796010032aecd20010db8000000000000000000000011",
        Advertisement(55, 150, 50, (IPv6Address("2001:db8::11"),)),
        Checksum.PSEUDO_HEADER,
        None,
        id="keepalived, IPv6, unicast",
    ),
]


@pytest.mark.parametrize(("captured", "advertisement", "checksum", "password"), CAPTURES)
def test_captured_messages_are_read_and_written_alike(
    captured: str, advertisement: Advertisement, checksum: Checksum | None, password: bytes | None
) -> None:
    source, destination, written = captured.split()
    message, ends = bytes.fromhex(written), (ip_address(source), ip_address(destination))
    received = decode(Datagram(*ends, message))
    assert (received.advertisement, received.checksum) == (advertisement, checksum)
    assert (received.source, received.destination) == ends
    assert received.auth_type == (password is not None)
    assert received.auth_data == (password or b"").ljust(8, b"\0")
    summed = checksum or Checksum.PSEUDO_HEADER
    assert encode(advertisement, *ends, summed, password) == message


def advertisements(version: int, family: Literal[4, 6]) -> st.SearchStrategy[Advertisement]:
    seconds = st.integers(1, 255).map(lambda whole: whole * 100)
    return st.builds(
        Advertisement,
        vrid=st.integers(1, 255),
        priority=st.integers(0, 255),
        interval=seconds if version == 2 else st.integers(1, 4095),
        addresses=st.lists(st.ip_addresses(v=family), max_size=255).map(tuple),
        version=st.just(version),
    )


KINDS = pytest.mark.parametrize(("version", "family"), [(2, 4), (3, 4), (3, 6)])


@KINDS
@given(data=st.data())
def test_every_advertisement_survives_the_wire(
    version: int, family: Literal[4, 6], data: st.DataObject
) -> None:
    advertisement = data.draw(advertisements(version, family))
    source, destination = data.draw(st.tuples(*[st.ip_addresses(v=family)] * 2))
    password = data.draw(st.none() | st.binary(min_size=1, max_size=8))
    message = encode(
        advertisement, source, destination, data.draw(st.sampled_from(Checksum)), password
    )
    received = decode(Datagram(source, destination, message))
    assert (received.advertisement, received.source) == (advertisement, source)
    if version == 2:
        assert received.auth_data == (password or b"").ljust(8, b"\0")


def again(received: Received) -> bytes:
    """Return what a router would have sent to say the same."""
    password = received.auth_data if received.auth_type else None
    summed = received.checksum or Checksum.PSEUDO_HEADER
    ends = received.source, received.destination
    return encode(received.advertisement, *ends, summed, password)


@pytest.mark.parametrize("family", [4, 6])
@settings(max_examples=1000)
@given(
    message=st.binary(max_size=64)
    | st.tuples(st.sampled_from([0x21, 0x31]), st.binary(min_size=7, max_size=7)).map(
        lambda drawn: bytes([drawn[0]]) + drawn[1]
    )
)
def test_any_bytes_decode_or_are_malformed(family: int, message: bytes) -> None:
    source = SOURCE if family == 4 else SIX
    try:
        received = decode(Datagram(source, GROUP[family], message))
    except MalformedAdvertisement as wrong:
        assert str(wrong).startswith(wrong.reason)  # noqa: PT017 - either way is right
    else:
        said = decode(Datagram(source, GROUP[family], again(received)))
        assert said.advertisement == received.advertisement


@KINDS
@settings(max_examples=1000)
@given(data=st.data())
def test_what_has_a_right_checksum_decodes_or_is_malformed(
    version: int, family: Literal[4, 6], data: st.DataObject
) -> None:
    """Random bytes seldom have one: here only the sum is always right."""
    size, source = (4, SOURCE) if family == 4 else (16, SIX)
    count = data.draw(st.integers(0, 3))
    length = 8 + size * count + (8 if version == 2 else 0)
    drawn = bytearray(data.draw(st.binary(min_size=length, max_size=length)))
    drawn[0], drawn[3] = version << 4 | 1, count
    message = summed(bytes(drawn), source)
    try:
        received = decode(Datagram(source, GROUP[family], message))
    except MalformedAdvertisement as wrong:
        assert wrong.reason in {Reason.VRID, Reason.INTERVAL}  # noqa: PT017 - either way is right
    else:
        assert received.advertisement.version == version


def summed(message: bytes, source: IPv4Address | IPv6Address = SOURCE) -> bytes:
    """Set the right checksum: over IPv4 that of the message alone."""
    bare = message[:6] + b"\0\0" + message[8:]
    head = b""
    if source.version == 6:
        head = source.packed + GROUP[6].packed + len(bare).to_bytes(4) + bytes([0, 0, 0, 112])
    return bare[:6] + internet_checksum(head + bare).to_bytes(2) + bare[8:]


@KINDS
@settings(max_examples=300)
@given(data=st.data())
def test_a_flipped_bit_is_never_believed(
    version: int, family: Literal[4, 6], data: st.DataObject
) -> None:
    source = SOURCE if family == 4 else SIX
    message = bytearray(encode(data.draw(advertisements(version, family)), source, GROUP[family]))
    bit = data.draw(st.integers(0, len(message) * 8 - 1))
    message[bit // 8] ^= 1 << bit % 8
    with pytest.raises(MalformedAdvertisement):
        decode(Datagram(source, GROUP[family], bytes(message)))


def damaged(said: Advertisement, at: int, value: int) -> bytes:
    """Return the message of `said` with one octet replaced and the checksum set right."""
    message = bytearray(encode(said, SOURCE, GROUP[4]))
    message[at] = value
    return summed(bytes(message))


RIGHT = encode(FRONT, SOURCE, GROUP[4])
OLD_RIGHT = encode(OLD, SOURCE, GROUP[4])


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        pytest.param(b"", Reason.SHORT, id="nothing"),
        pytest.param(RIGHT[:7], Reason.SHORT, id="half a header"),
        pytest.param(damaged(FRONT, 0, 0x11), Reason.VERSION, id="version 1"),
        pytest.param(damaged(FRONT, 0, 0x41), Reason.VERSION, id="version 4"),
        pytest.param(damaged(FRONT, 0, 0x32), Reason.TYPE, id="unknown type (5.2.2: discard)"),
        pytest.param(damaged(OLD, 0, 0x22), Reason.TYPE, id="unknown type of version 2"),
        pytest.param(damaged(FRONT, 3, 3), Reason.LENGTH, id="fewer addresses than counted"),
        pytest.param(damaged(FRONT, 3, 1), Reason.LENGTH, id="more addresses than counted"),
        pytest.param(summed(RIGHT + bytes(4)), Reason.LENGTH, id="an octet group too many"),
        pytest.param(summed(OLD_RIGHT[:-8]), Reason.LENGTH, id="version 2 without its last eight"),
        pytest.param(summed(OLD_RIGHT + bytes(8)), Reason.LENGTH, id="version 2, eight too many"),
        pytest.param(RIGHT[:6] + b"\0\0" + RIGHT[8:], Reason.CHECKSUM, id="checksum"),
        pytest.param(OLD_RIGHT[:6] + b"\0\0" + OLD_RIGHT[8:], Reason.CHECKSUM, id="checksum of 2"),
        pytest.param(damaged(FRONT, 1, 0), Reason.VRID, id="vrid 0"),
        pytest.param(damaged(FRONT, 5, 0), Reason.INTERVAL, id="interval 0"),
        pytest.param(damaged(OLD, 5, 0), Reason.INTERVAL, id="interval 0 of version 2"),
    ],
)
def test_wrong_messages_are_refused_with_their_reason(message: bytes, reason: Reason) -> None:
    with pytest.raises(MalformedAdvertisement) as refusal:
        decode(Datagram(SOURCE, GROUP[4], message))
    assert refusal.value.reason is reason
    assert refusal.value.vrid == (message[1] if len(message) >= 8 else None)


def test_what_came_through_a_router_is_refused_where_it_was_sent_to_the_group() -> None:
    """RFC 9568 section 7.1: TTL or hop limit 255; unicast crosses routers (keepalived: 64)."""
    with pytest.raises(MalformedAdvertisement) as refusal:
        decode(Datagram(SOURCE, GROUP[4], RIGHT, hops=254))
    assert refusal.value.reason is Reason.TTL
    peer = IPv4Address("10.9.0.2")
    assert decode(Datagram(SOURCE, peer, encode(FRONT, SOURCE, peer), 62)).advertisement == FRONT


def test_version_2_says_nothing_over_ipv6() -> None:
    message = bytes([0x21]) + encode(FRONT, SOURCE, GROUP[4])[1:]
    with pytest.raises(MalformedAdvertisement) as refusal:
        decode(Datagram(SIX, GROUP[6], message))
    assert refusal.value.reason is Reason.VERSION


def test_over_ipv6_the_pseudo_header_is_always_covered() -> None:
    said = replace(FRONT, addresses=(IPv6Address("fe80::10"),))
    message = encode(said, SIX, GROUP[6], Checksum.RFC9568)
    assert decode(Datagram(SIX, GROUP[6], message)).checksum is Checksum.PSEUDO_HEADER
    alone = message[:6] + b"\0\0" + message[8:]
    alone = alone[:6] + internet_checksum(alone).to_bytes(2) + alone[8:]
    with pytest.raises(MalformedAdvertisement) as refusal:
        decode(Datagram(SIX, GROUP[6], alone))
    assert refusal.value.reason is Reason.CHECKSUM


def test_the_reserved_bits_are_ignored() -> None:
    """RFC 9568 section 5.2.6: MUST be ignored on reception."""
    said = decode(Datagram(SOURCE, GROUP[4], damaged(FRONT, 4, 0xF0)))
    assert said.advertisement == FRONT


def test_the_password_stays_out_of_what_is_printed() -> None:
    message = encode(OLD, SOURCE, GROUP[4], password=b"s3cret")
    assert "s3cret" not in repr(decode(Datagram(SOURCE, GROUP[4], message)))

"""The wire format, against packets of keepalived 2.2.7 and against every kind of wrong bytes."""

from ipaddress import IPv4Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.codec import (
    Advertisement,
    Checksum,
    MalformedAdvertisement,
    Reason,
    decode,
    decode_packet,
    encode,
    encode_packet,
)

SOURCE = IPv4Address("10.9.0.1")
PAIR = (IPv4Address("192.0.2.10"), IPv4Address("192.0.2.11"))
FRONT = Advertisement(vrid=51, priority=150, interval=10, addresses=PAIR)

# Captured with tcpdump from keepalived 2.2.7 (Debian) in a network namespace; the IP header's
# checksum and identification are part of the capture.
CAPTURES = [
    pytest.param(
        "45c000240025 0000ff70d068 0a090001 e0000012 31339602000aca0cc000020ac000020b",
        0x25,
        FRONT,
        Checksum.PSEUDO_HEADER,
        id="keepalived, priority 150 every 100 ms, two addresses",
    ),
    pytest.param(
        "45c000240026 0000ff70d067 0a090001 e0000012 31330002000a600dc000020ac000020b",
        0x26,
        Advertisement(51, 0, 10, PAIR),
        Checksum.PSEUDO_HEADER,
        id="keepalived, shutting down",
    ),
    pytest.param(
        "45c000200001 0000ff70d090 0a090001 e0000012 3133ff010fff1328c000020a",
        1,
        Advertisement(51, 255, 4095, PAIR[:1]),
        Checksum.PSEUDO_HEADER,
        id="keepalived, owner, longest interval",
    ),
    pytest.param(
        "45c000200001 0000ff70d090 0a090001 e0000012 3133ff010ffffdc0c000020a",
        1,
        Advertisement(51, 255, 4095, PAIR[:1]),
        Checksum.RFC9568,
        id="the same, summed by hand without pseudo header (RFC 1071)",
    ),
]


@pytest.mark.parametrize(("packet", "identification", "advertisement", "checksum"), CAPTURES)
def test_captured_packets_are_read_and_written_alike(
    packet: str, identification: int, advertisement: Advertisement, checksum: Checksum
) -> None:
    captured = bytes.fromhex(packet)
    received = decode_packet(captured)
    assert (received.advertisement, received.checksum) == (advertisement, checksum)
    assert received.source == SOURCE
    assert encode_packet(advertisement, SOURCE, checksum, identification) == captured


advertisements = st.builds(
    Advertisement,
    vrid=st.integers(1, 255),
    priority=st.integers(0, 255),
    interval=st.integers(1, 4095),
    addresses=st.lists(st.ip_addresses(v=4), max_size=255).map(tuple),
)


@given(advertisements, st.ip_addresses(v=4), st.sampled_from(Checksum))
def test_every_advertisement_survives_the_wire(
    advertisement: Advertisement, source: IPv4Address, checksum: Checksum
) -> None:
    received = decode_packet(encode_packet(advertisement, source, checksum))
    assert (received.advertisement, received.source) == (advertisement, source)


@given(st.binary(max_size=64) | st.binary(min_size=28, max_size=28).map(lambda b: b"\x31\x05" + b))
def test_any_bytes_decode_or_are_malformed(message: bytes) -> None:
    try:
        advertisement, checksum = decode(message, SOURCE)
    except MalformedAdvertisement as wrong:
        assert wrong.reason in Reason  # noqa: PT017 - either way is right
    else:
        again = encode(advertisement, SOURCE, checksum)
        assert decode(again, SOURCE)[0] == advertisement


@given(st.binary(max_size=80))
def test_any_packet_decodes_or_is_malformed(packet: bytes) -> None:
    try:
        assert decode_packet(packet).advertisement.vrid
    except MalformedAdvertisement as wrong:
        assert str(wrong).startswith(wrong.reason)  # noqa: PT017 - either way is right


@given(advertisements, st.data())
def test_a_flipped_bit_is_never_believed(advertisement: Advertisement, data: st.DataObject) -> None:
    message = bytearray(encode(advertisement, SOURCE))
    bit = data.draw(st.integers(0, len(message) * 8 - 1))
    message[bit // 8] ^= 1 << bit % 8
    with pytest.raises(MalformedAdvertisement):
        decode(bytes(message), SOURCE)


def damaged(at: int, value: int) -> bytes:
    """Return the packet of `FRONT` with one octet replaced and the VRRP checksum set right."""
    packet = bytearray(encode_packet(FRONT, SOURCE, Checksum.RFC9568))
    packet[at] = value
    packet[26:28] = b"\0\0"
    total = sum(int.from_bytes(packet[i : i + 2]) for i in range(20, len(packet), 2))
    packet[26:28] = (~(total % 0xFFFF) & 0xFFFF).to_bytes(2)
    return bytes(packet)


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        pytest.param(b"", Reason.SHORT, id="nothing"),
        pytest.param(encode_packet(FRONT, SOURCE)[:19], Reason.SHORT, id="half an IP header"),
        pytest.param(encode_packet(FRONT, SOURCE)[:30], Reason.HEADER, id="cut by the network"),
        pytest.param(damaged(0, 0x65), Reason.HEADER, id="IP version 6"),
        pytest.param(damaged(9, 17), Reason.HEADER, id="UDP"),
        pytest.param(damaged(8, 254), Reason.TTL, id="through a router (7.1: TTL must be 255)"),
        pytest.param(damaged(3, 24), Reason.SHORT, id="no room for the VRRP header"),
        pytest.param(damaged(20, 0x21), Reason.VERSION, id="VRRPv2"),
        pytest.param(damaged(20, 0x32), Reason.TYPE, id="unknown type (5.2.2: discard)"),
        pytest.param(damaged(23, 3), Reason.LENGTH, id="fewer addresses than counted"),
        pytest.param(damaged(23, 1), Reason.LENGTH, id="more addresses than counted"),
        pytest.param(damaged(21, 0), Reason.VRID, id="vrid 0"),
        pytest.param(damaged(25, 0), Reason.INTERVAL, id="interval 0"),
    ],
)
def test_wrong_packets_are_refused_with_their_reason(packet: bytes, reason: Reason) -> None:
    with pytest.raises(MalformedAdvertisement) as refusal:
        decode_packet(packet)
    assert refusal.value.reason is reason


def test_ethernet_padding_after_the_packet_is_tolerated() -> None:
    assert decode_packet(encode_packet(FRONT, SOURCE) + bytes(10)).advertisement == FRONT


def test_the_reserved_bits_are_ignored() -> None:
    """RFC 9568 section 5.2.6: MUST be ignored on reception."""
    assert decode_packet(damaged(24, 0xF0)).advertisement == FRONT


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"vrid": 0}, id="vrid 0"),
        pytest.param({"vrid": 256}, id="vrid 256"),
        pytest.param({"priority": -1}, id="priority -1"),
        pytest.param({"priority": 256}, id="priority 256"),
        pytest.param({"interval": 0}, id="interval 0"),
        pytest.param({"interval": 4096}, id="interval over 12 bits"),
        pytest.param({"addresses": PAIR[:1] * 256}, id="256 addresses"),
    ],
)
def test_what_the_format_cannot_hold_is_our_mistake(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"is not within|at most"):
        Advertisement(**({"vrid": 51, "priority": 150, "interval": 10} | fields))

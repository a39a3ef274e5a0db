"""Datagrams in IPv4 packets, as raw sockets have them."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libra_vrrp.codec.malformed import MalformedAdvertisement, Reason
from libra_vrrp.codec.packet import Datagram, decode_packet, encode_packet, whole_packet

SOURCE, GROUP = IPv4Address("10.9.0.1"), IPv4Address("224.0.0.18")
DATAGRAM = Datagram(SOURCE, GROUP, b"\x31\x33\x96\x00\x00\x0a\xff\xff")

datagrams = st.builds(
    Datagram,
    source=st.ip_addresses(v=4),
    destination=st.ip_addresses(v=4),
    message=st.binary(max_size=1040),
    hops=st.integers(0, 255),
)


def test_the_header_is_that_of_keepalived() -> None:
    """Captured from keepalived 2.2.7 in a network namespace: TOS 0xc0, TTL 255, its own id."""
    header = bytes.fromhex("45c000240025 0000ff70d068 0a090001 e0000012")
    message = bytes.fromhex("31339602000aca0cc000020ac000020b")
    datagram = Datagram(SOURCE, GROUP, message)
    assert encode_packet(datagram, 0x25) == header + message
    assert decode_packet(header + message) == datagram


def test_a_whole_packet_has_the_header_of_its_family() -> None:
    """RFC 8200 section 3: traffic class 0xc0, no flow label, hop limit 255."""
    assert whole_packet(DATAGRAM) == encode_packet(DATAGRAM)
    ends = IPv6Address("fe80::1"), IPv6Address("ff02::12")
    header = bytes.fromhex("6c000000 0008 70 ff")
    six = whole_packet(Datagram(*ends, DATAGRAM.message))
    assert six == header + ends[0].packed + ends[1].packed + DATAGRAM.message


@given(datagrams, st.integers(0, 0xFFFF))
def test_every_datagram_survives_the_packet(datagram: Datagram, identification: int) -> None:
    assert decode_packet(encode_packet(datagram, identification)) == datagram


@settings(max_examples=1000)
@given(st.binary(max_size=80))
def test_any_packet_decodes_or_is_malformed(packet: bytes) -> None:
    try:
        assert decode_packet(packet).message in packet
    except MalformedAdvertisement as wrong:
        assert wrong.reason in {Reason.SHORT, Reason.HEADER}  # noqa: PT017 - either way is right


def damaged(at: int, value: int) -> bytes:
    packet = bytearray(encode_packet(DATAGRAM))
    packet[at] = value
    return bytes(packet)


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        pytest.param(b"", Reason.SHORT, id="nothing"),
        pytest.param(encode_packet(DATAGRAM)[:19], Reason.SHORT, id="half an IP header"),
        pytest.param(encode_packet(DATAGRAM)[:26], Reason.HEADER, id="cut by the network"),
        pytest.param(damaged(0, 0x65), Reason.HEADER, id="IP version 6"),
        pytest.param(damaged(0, 0x44), Reason.HEADER, id="a header shorter than a header"),
        pytest.param(damaged(9, 17), Reason.HEADER, id="UDP"),
    ],
)
def test_wrong_packets_are_refused_with_their_reason(packet: bytes, reason: Reason) -> None:
    with pytest.raises(MalformedAdvertisement) as refusal:
        decode_packet(packet)
    assert refusal.value.reason is reason
    ends = (None, None) if reason is Reason.SHORT else (DATAGRAM.source, DATAGRAM.destination)
    assert (refusal.value.source, refusal.value.destination) == ends


def test_ethernet_padding_after_the_packet_is_tolerated() -> None:
    assert decode_packet(encode_packet(DATAGRAM) + bytes(10)) == DATAGRAM


def test_options_of_the_header_are_stepped_over() -> None:
    packet = bytearray(encode_packet(DATAGRAM))
    packet[0], packet[3] = 0x46, packet[3] + 4
    assert decode_packet(bytes(packet[:20] + bytes(4) + packet[20:])) == DATAGRAM

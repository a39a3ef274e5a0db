"""The virtual MAC, and the frames of a master that bear it."""

from ipaddress import IPv4Address, IPv6Address

import pytest

from libra_vrrp.codec import Datagram
from libra_vrrp.codec.packet import whole_packet
from libra_vrrp.seal.datagram import QUESTION
from libra_vrrp.vmac import bears, frame, virtual_mac

FOUR = Datagram(IPv4Address("192.0.2.1"), IPv4Address("224.0.0.18"), b"\x31\x33\x64\x01")
SIX = Datagram(IPv6Address("fe80::1"), IPv6Address("ff02::12"), b"\x31\x33\x64\x01")


@pytest.mark.parametrize(
    ("family", "vrid", "mac"),
    [(4, 51, "00005e000133"), (6, 51, "00005e000233"), (4, 255, "00005e0001ff")],
)
def test_the_mac_is_that_of_the_standard(family: int, vrid: int, mac: str) -> None:
    assert virtual_mac(family, vrid).hex() == mac


@pytest.mark.parametrize(
    ("said", "header"),
    [
        pytest.param(FOUR, "01005e000012 00005e000133 0800", id="ipv4"),
        pytest.param(SIX, "333300000012 00005e000133 86dd", id="ipv6"),
    ],
)
def test_a_frame_is_the_whole_packet_to_the_mac_of_its_group(said: Datagram, header: str) -> None:
    assert frame(said, virtual_mac(4, 51)) == bytes.fromhex(header) + whole_packet(said)


def test_the_highest_bit_of_a_group_is_not_in_its_mac() -> None:
    far = Datagram(FOUR.source, IPv4Address("239.255.1.2"), b"")
    assert frame(far, bytes(6))[:6].hex() == "01005e7f0102"


@pytest.mark.parametrize(
    ("message", "master", "is_borne"),
    [
        pytest.param(b"\x31\x33\x64\x01", True, True, id="a master's advert"),
        pytest.param(b"\x31\x33\x00\x01", False, True, id="who gives up was master"),
        pytest.param(b"\x31\x33\x64\x01", False, False, id="the last word of one who yielded"),
        pytest.param(b"", False, False, id="a challenge"),
        pytest.param(QUESTION, False, False, id="a question"),
    ],
)
def test_only_a_masters_words_bear_it(message: bytes, *, master: bool, is_borne: bool) -> None:
    said = Datagram(FOUR.source, FOUR.destination, message)
    assert bears(said, master=master) == is_borne


def test_what_is_said_to_one_peer_does_not_bear_it() -> None:
    assert not bears(Datagram(FOUR.source, IPv4Address("192.0.2.2"), b"\x31\x33\x64"), master=True)

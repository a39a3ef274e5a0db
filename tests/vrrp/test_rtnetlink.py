"""rtnetlink, against bytes that a 6.18 kernel sent and the layout of its headers."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.rtnetlink import (
    AF_INET6,
    AddressGone,
    AddressHeld,
    Answered,
    LinkGone,
    LinkHeld,
    Target,
    add_address,
    decode,
    delete_address,
    list_addresses,
    list_links,
)

VIP = IPv4Address("192.0.2.10")

# Received from RTM_GETADDR in a namespace with 10.9.0.2/24 and a leased 192.0.2.10/32 on v0.
ADDRESSES = bytes.fromhex(
    "4c0000001400020002000000bd1e000002188000020000000800"
    "01000a090002080002000a0900020700030076300000080008008000000014000600ffffffffffffffff"
    "b6f50000b6f50000"
    "4c0000001400020002000000bd1e000002200000020000000800"
    "0100c000020a08000200c000020a07000300763000000800080000020000140006006400000064000000"
    "488a0400488a0400"
)
# The same with a leased 2001:db8::10/128 and fe80::5/64 under duplicate address detection.
IPV6_ADDRESSES = bytes.fromhex(
    "480000001400020007000000103100000a802200020000001400010020010db8000000000000000000000010"
    "1400060000000000640000004b6b39004b6b39000800080022020000"
    "480000001400020007000000103100000a40c0fd0200000014000100fe800000000000000000000000000005"
    "14000600ffffffffffffffff4b6b39004b6b390008000800c0000000"
)
DONE = bytes.fromhex("140000000300020002000000bd1e000000000000")


def test_a_dump_of_addresses_tells_leased_from_permanent_ones() -> None:
    assert list(decode(ADDRESSES + DONE)) == [
        AddressHeld(2, IPv4Address("10.9.0.2"), 24, valid=None),
        AddressHeld(2, VIP, 32, valid=100),
        Answered(2, 0),
    ]


def test_an_ipv6_address_is_not_usable_during_duplicate_address_detection() -> None:
    assert list(decode(IPV6_ADDRESSES)) == [
        AddressHeld(2, IPv6Address("2001:db8::10"), 128, valid=100),
        AddressHeld(2, IPv6Address("fe80::5"), 64, usable=False),
    ]


def test_an_address_without_a_lifetime_is_permanent() -> None:
    bare = bytes.fromhex("20000000 1400 0000 00000000 00000000 02 18 00 00 02000000 0800 0100")
    assert list(decode(bare + VIP.packed)) == [AddressHeld(2, VIP, 24, valid=None)]


def test_a_removed_address_is_the_same_message_of_another_type() -> None:
    removed = bytearray(ADDRESSES[76:])
    removed[4] = 21
    assert list(decode(bytes(removed))) == [AddressGone(2, VIP, 32)]


def link(kind: int, flags: int, family: int = 0) -> bytes:
    body = bytes([family, 0, 1, 0]) + (7).to_bytes(4, "little")
    body += flags.to_bytes(4, "little") + bytes(4)
    body += b"\x09\0\x03\0eth0\0\0\0\0" + b"\x0a\0\x01\0\x02\0\0\0\0\x01\0\0"
    head = (16 + len(body)).to_bytes(4, "little") + kind.to_bytes(2, "little") + bytes(10)
    return head + body


@pytest.mark.parametrize(
    ("flags", "up"),
    [
        pytest.param(0x11043, True, id="up with a carrier"),
        pytest.param(0x1003, False, id="up without a carrier"),
        pytest.param(0x10042, False, id="down with a carrier"),
    ],
)
def test_a_link_is_up_with_a_carrier(flags: int, up: bool) -> None:
    assert list(decode(link(16, flags))) == [LinkHeld(7, "eth0", up, b"\x02\0\0\0\0\x01")]


# Received from RTM_GETLINK for `ip link add vrrp4-51 link eth0 address 00:00:5e:00:01:33 group 112
# type macvlan mode bridge` (its attributes 3, 27, 1, 18 and 5).
MACVLAN = bytes.fromhex(
    "88000000100000000100000000000000000001000400000002100000000000000d00030076727270342d3531"
    "0000000008001b00700000000a00010000005e00013300003c0012000c0001006d6163766c616e002c000200"
    "08000100040000000600020000000000080006000000000008000700e803000008000800e803000008000500"
    "03000000"
)


def test_a_macvlan_has_a_parent_and_links_a_group() -> None:
    mac = bytes.fromhex("00005e000133")
    (told,) = decode(MACVLAN)
    assert told == LinkHeld(4, "vrrp4-51", up=False, mac=mac, parent=3, group=112)


def test_what_is_no_macvlan_has_no_parent() -> None:
    (told,) = decode(MACVLAN.replace(b"macvlan", b"ipvlanX"))
    assert told == LinkHeld(4, "vrrp4-51", up=False, mac=bytes.fromhex("00005e000133"), group=112)


def test_a_removed_link_is_gone() -> None:
    assert list(decode(link(17, 0))) == [LinkGone(7)]


@pytest.mark.parametrize("kind", [16, 17])
def test_what_is_about_the_port_of_a_bridge_says_nothing_of_the_link(kind: int) -> None:
    """Leaving a bridge is a DEL_LINK of family AF_BRIDGE, and the interface is still there."""
    assert list(decode(link(kind, 0x11043, family=7))) == []


def test_an_address_is_added_with_its_lifetime_and_without_a_route() -> None:
    """linux/if_addr.h: IFA_LOCAL, IFA_ADDRESS, IFA_FLAGS (NOPREFIXROUTE), IFA_CACHEINFO."""
    assert add_address(9, Target(2, VIP), 2) == bytes.fromhex(
        "44000000 1400 0505 09000000 00000000"  # 68 octets, RTM_NEWADDR, REQUEST ACK REPLACE CREATE
        "02 20 00 00 02000000"
        "0800 0200 c000020a"
        "0800 0100 c000020a"
        "0800 0800 00020000"
        "1400 0600 02000000 02000000 00000000 00000000"
    )


def test_a_new_address_is_asked_for_exclusively() -> None:
    """linux/netlink.h: NLM_F_EXCL in place of NLM_F_REPLACE."""
    plain, new = (add_address(9, Target(2, VIP), 2, is_new=is_new) for is_new in (False, True))
    assert (plain[6:8], new[6:8]) == (bytes.fromhex("0505"), bytes.fromhex("0506"))
    assert plain[:6] + plain[8:] == new[:6] + new[8:]


def test_a_connected_address_has_its_prefix_and_of_ipv4_the_kernels_route() -> None:
    """IFA_FLAGS are none, and NODAD with NOPREFIXROUTE."""
    four = add_address(9, Target(2, VIP, 24), 2)
    assert (four[17], four[40:48]) == (24, bytes.fromhex("0800 0800 00000000"))
    six = add_address(9, Target(2, IPv6Address("2001:db8::10"), 64), 2)
    assert (six[17], six[64:72]) == (64, bytes.fromhex("0800 0800 02020000"))
    assert delete_address(9, Target(2, VIP, 24))[17] == 24


def test_an_ipv6_address_is_added_deprecated_and_without_duplicate_address_detection() -> None:
    """IFA_FLAGS are NODAD and NOPREFIXROUTE, IFA_CACHEINFO is preferred 0 s, valid 2 s."""
    assert add_address(9, Target(2, IPv6Address("2001:db8::10")), 2) == bytes.fromhex(
        "5c000000 1400 0505 09000000 00000000"
        "0a 80 00 00 02000000"
        "1400 0200 20010db8000000000000000000000010"
        "1400 0100 20010db8000000000000000000000010"
        "0800 0800 02020000"
        "1400 0600 00000000 02000000 00000000 00000000"
    )


def test_an_address_is_removed_by_interface_and_address() -> None:
    assert delete_address(9, Target(2, VIP)) == bytes.fromhex(
        "28000000 1500 0500 09000000 00000000 02 20 00 00 02000000"
        "0800 0200 c000020a 0800 0100 c000020a"
    )


def test_lists_are_asked_for_as_dumps() -> None:
    assert list_links(1)[:8] == bytes.fromhex("20000000 1200 0103")
    assert list_addresses(2) == bytes.fromhex(
        "18000000 1600 0103 02000000 00000000 02 00 00 00 00000000"
    )
    assert list_addresses(3, AF_INET6)[16] == AF_INET6


def test_a_refusal_carries_the_errno() -> None:
    refusal = bytes.fromhex("24000000 0200 0000 09000000 00000000 9dffffff") + bytes(16)
    assert list(decode(refusal)) == [Answered(9, 99)]


def test_what_is_not_known_is_skipped() -> None:
    assert list(decode(bytes.fromhex("10000000 0100 0000 09000000 00000000"))) == []


@given(st.binary(max_size=120))
def test_any_bytes_are_said_or_refused(datagram: bytes) -> None:
    try:
        assert isinstance(list(decode(datagram)), list)
    except ValueError as wrong:
        assert "netlink" in str(wrong)  # noqa: PT017 - either way is right


def test_a_message_longer_than_its_datagram_is_refused() -> None:
    with pytest.raises(ValueError, match="netlink message of 76 octets"):
        list(decode(ADDRESSES[:70]))


def test_an_attribute_longer_than_its_message_is_refused() -> None:
    wrong = bytearray(ADDRESSES[:76])
    wrong[24] = 200
    with pytest.raises(ValueError, match="netlink attribute of 200 octets"):
        list(decode(bytes(wrong)))

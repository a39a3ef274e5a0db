"""Netlink framing: what is written is read back, what is no message is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_ipvs_writer.netlink import (
    MalformedMessage,
    Message,
    attribute,
    attributes,
    family_of,
    family_request,
    generic,
    inside,
    message,
    messages,
    name,
    nested,
    sized,
    u16,
    u32,
)


@given(st.dictionaries(st.integers(1, 0x3FFF), st.binary(max_size=40)))
def test_attributes_survive_the_wire(values: dict[int, bytes]) -> None:
    octets = b"".join(attribute(kind, value) for kind, value in values.items())
    assert attributes(octets) == values
    assert len(octets) % 4 == 0


@given(st.binary(max_size=200))
def test_any_bytes_are_attributes_or_malformed(octets: bytes) -> None:
    try:
        found = attributes(octets)
    except MalformedMessage:
        return
    assert sum(len(value) for value in found.values()) <= len(octets)


@given(
    st.lists(
        st.builds(
            Message,
            st.integers(0, 65535),
            st.integers(0, 65535),
            st.integers(0, 2**32 - 1),
            st.binary(max_size=30).map(lambda b: b + bytes(-len(b) % 4)),
        )
    )
)
def test_several_messages_travel_in_one_datagram(several: list[Message]) -> None:
    datagram = b"".join(message(m.type, m.flags, m.sequence, m.payload) for m in several)
    assert list(messages(datagram)) == several


@given(st.binary(max_size=200))
def test_any_datagram_is_messages_or_malformed(octets: bytes) -> None:
    try:
        found = list(messages(octets))
    except MalformedMessage:
        return
    assert bool(found) == bool(octets)


def test_an_acknowledgement_has_errno_0_and_a_refusal_its_errno() -> None:
    assert Message(2, 0, 1, bytes(4)).errno == 0
    assert Message(2, 0, 1, (-17).to_bytes(4, "little", signed=True)).errno == 17
    assert Message(3, 0, 1, b"").errno == 0


def test_the_command_is_the_first_byte_of_a_generic_payload() -> None:
    assert Message(28, 0, 1, generic(5, 1)).command == 5
    assert Message(28, 0, 1, b"").command == 0


def test_nested_attributes_are_found_inside() -> None:
    payload = generic(1, 1, nested(1, attribute(3, b"\x07\0\0\0"), attribute(4, b"eth0\0")))
    found = inside(payload, 1)
    assert (u32(found, 3), u16(found, 3), name(found, 4)) == (7, 7, "eth0")


def test_a_missing_or_short_attribute_is_malformed() -> None:
    with pytest.raises(MalformedMessage, match="attribute 9 is missing"):
        sized({}, 9)
    with pytest.raises(MalformedMessage, match="shorter than 4 bytes"):
        u32({9: b"\0"}, 9)


def test_the_family_is_asked_for_as_libnl_asks() -> None:
    assert family_request("IPVS").hex() == "03010000090002004950565300000000"


def test_the_family_is_read_from_the_answer_of_linux_6_1() -> None:
    answer = bytes.fromhex(
        "01020000090002004950565300000000060001001c00000008000300010000000800040000000000"
    )
    assert family_of(answer) == 28

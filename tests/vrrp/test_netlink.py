"""Framing of netlink: messages and attributes, padded to four octets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_vrrp.netlink import (
    ACK,
    CAPPED,
    EXPLAINED,
    REQUEST,
    Message,
    attribute,
    attributes,
    explanation,
    message,
    messages,
)

BODIES = st.binary(max_size=60).map(lambda body: body + bytes(-len(body) % 4))


def test_a_message_has_a_header_of_sixteen_octets() -> None:
    assert message(24, REQUEST | ACK, 7, b"\1\2\3\4") == bytes.fromhex(
        "14000000 1800 0500 07000000 00000000 01020304"
    )


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), BODIES)))
def test_messages_arrive_as_they_were_sent(sent: list[tuple[int, int, bytes]]) -> None:
    datagram = b"".join(message(kind, 0, number, body) for kind, number, body in sent)
    assert [*messages(datagram)] == [Message(kind, 0, number, b) for kind, number, b in sent]


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=20))))
def test_attributes_arrive_as_they_were_sent(sent: list[tuple[int, bytes]]) -> None:
    assert [*attributes(b"".join(attribute(*one) for one in sent))] == sent


WHY = attribute(1, b"Invalid prefsrc address\0")
ASKED = message(24, REQUEST | ACK, 7, b"\1\2\3\4")
ERRNO = bytes.fromhex("eaffffff")


@pytest.mark.parametrize(
    ("flags", "body", "why"),
    [
        pytest.param(EXPLAINED, ERRNO + ASKED + WHY, "Invalid prefsrc address", id="whole"),
        pytest.param(
            EXPLAINED | CAPPED, ERRNO + ASKED[:16] + WHY, "Invalid prefsrc address", id="capped"
        ),
        pytest.param(EXPLAINED, ERRNO + ASKED, "", id="without a word"),
        pytest.param(EXPLAINED, ERRNO, "", id="without anything"),
        pytest.param(CAPPED, ERRNO + ASKED[:16] + WHY, "", id="not announced"),
    ],
)
def test_a_refusal_is_explained_in_the_kernels_words(flags: int, body: bytes, why: str) -> None:
    """linux/netlink.h: NLM_F_CAPPED, NLM_F_ACK_TLVS, NLMSGERR_ATTR_MSG."""
    assert explanation(Message(2, flags, 7, body)) == why


def test_what_is_cut_short_is_refused() -> None:
    with pytest.raises(ValueError, match="netlink message of 20 octets in 18"):
        list(messages(message(24, 0, 1, b"1234")[:18]))
    with pytest.raises(ValueError, match="netlink attribute of 8 octets in 6"):
        list(attributes(attribute(1, b"1234")[:6]))

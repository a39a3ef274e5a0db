import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.protocols.ber import (
    ENUMERATED,
    INTEGER,
    Element,
    MalformedBer,
    element,
    number,
    parts,
    write,
    write_number,
)


@pytest.mark.parametrize(
    ("wire", "value"),
    [(b"\x02\x01\x00", 0), (b"\x02\x01\x7f", 127), (b"\x02\x02\x00\x80", 128),
     (b"\x02\x03\x01\x00\x00", 65536)],
)  # fmt: skip
def test_a_number_is_written_as_short_as_may_be(wire: bytes, value: int) -> None:
    assert write_number(value) == wire
    assert number(Element(INTEGER, wire, 2, len(wire))) == value


def test_a_long_content_has_a_long_length() -> None:
    assert write(4, b"x" * 127)[:2] == b"\x04\x7f"
    assert write(4, b"x" * 128)[:3] == b"\x04\x81\x80"
    assert write(4, b"x" * 300)[:4] == b"\x04\x82\x01\x2c"


@given(st.integers(0, 30), st.binary(max_size=70000))
def test_what_was_written_is_read(tag: int, content: bytes) -> None:
    wire = write(tag, content)
    found = element(wire + b"more", 0, len(wire) + 4)
    assert found is not None
    assert (found.tag, found.content, found.end) == (tag, content, len(wire))


@pytest.mark.parametrize("wire", [b"", b"\x30", b"\x30\x82", b"\x30\x82\x01"])
def test_a_head_that_is_not_there_yet_is_waited_for(wire: bytes) -> None:
    assert element(wire, 0, len(wire)) is None


@pytest.mark.parametrize(
    ("wire", "complaint"),
    [
        (b"\x1f\x01", "a tag of several octets"),
        (b"\x30\x80", "a length of no or too many octets"),
        (b"\x30\x85", "a length of no or too many octets"),
    ],
)
def test_what_ldap_does_not_allow_is_malformed(wire: bytes, complaint: str) -> None:
    with pytest.raises(MalformedBer, match=complaint):
        element(wire, 0, len(wire))


def test_the_first_parts_are_read_and_no_more() -> None:
    wire = write(0x30, write(4, b"a"), write(4, b"b"), b"\xff\xff")
    outer = Element(0x30, wire, 2, len(wire))
    assert [each.content for each in parts(outer, most=2)] == [b"a", b"b"]
    assert parts(Element(0x30, b"", 0, 0), most=2) == []


@pytest.mark.parametrize("inner", [b"\x04", b"\x04\x02a", b"\x04\x82\x01"])
def test_no_part_ends_after_the_whole(inner: bytes) -> None:
    with pytest.raises(MalformedBer, match="ends after the one it is in"):
        parts(Element(0x30, inner + b"far more" * 99, 0, len(inner)), most=2)


@pytest.mark.parametrize("wire", [b"\x0a\x01\x00", b"\x02\x00", b"\x02\x05aaaaa"])
def test_a_number_is_of_its_tag_and_of_four_octets_at_most(wire: bytes) -> None:
    found = element(wire, 0, len(wire))
    assert found is not None
    with pytest.raises(MalformedBer, match="no number"):
        number(found)


def test_an_enumerated_value_is_a_number() -> None:
    assert number(Element(ENUMERATED, b"\x0a\x01\x31", 2, 3), ENUMERATED) == 49

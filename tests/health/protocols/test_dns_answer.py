import re
import struct
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.protocols.dns_answer import (
    RECORDS_LIMIT,
    SIZE_LIMIT,
    Answer,
    MalformedAnswer,
    OversizedAnswer,
    query,
    question,
    read,
)

ASKED = question("example.net", "A")


def response(
    kind: str = "A", *records: str, rcode: int = 0, flags: int = 0, name: str = "example.net"
) -> bytes:
    asked = question(name, kind)
    made = dns.message.make_response(dns.message.from_wire(query(7, asked, recursion=True)))
    made.set_rcode(dns.rcode.Rcode(rcode))
    made.flags |= flags
    if records:
        made.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *records))
    return made.to_wire()


def test_a_query_is_what_every_client_sends() -> None:
    assert query(0x1234, ASKED, recursion=True).hex() == (
        "1234" "0100" "0001" "0000" "0000" "0000" "076578616d706c65" "036e6574" "00" "0001" "0001"
    )  # fmt: skip
    assert query(1, ASKED, recursion=False)[2:4] == b"\0\0"
    assert question(".", "SOA") == b"\0\0\x06\0\x01"


@pytest.mark.parametrize("name", ["a..b", "a" * 64, ".".join(["a" * 63] * 4)])
def test_what_is_no_name_cannot_be_asked_about(name: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        question(name, "A")


@pytest.mark.parametrize(
    ("kind", "records"),
    [
        ("A", ["192.0.2.1", "192.0.2.2"]),
        ("AAAA", ["2001:db8::1", "::ffff:192.0.2.1"]),
        ("CNAME", ["www.example.net"]),
        ("MX", ["10 mail.example.net", "20 mail.example.org"]),
        ("NS", ["ns.example.net"]),
        ("PTR", ["host.example.net"]),
        ("SOA", ["ns.example.net host.example.net 1 2 3 4 5"]),
        ("SRV", ["0 5 389 ldap.example.net"]),
    ],
)
def test_answers_are_told_as_people_write_them(kind: str, records: list[str]) -> None:
    from libra_schemas.answers import canonical  # noqa: PLC0415

    dotted = [re.sub(r"([a-z])(?= |$)", r"\1.", text) for text in records]
    found = read(response(kind, *dotted), 7, question("example.net", kind))
    assert found is not None
    assert set(found.records) == {canonical(kind, text) for text in records}


def test_a_text_is_told_as_one_without_quotes() -> None:
    found = read(response("TXT", '"v=spf1 " "-all"'), 7, question("example.net", "TXT"))
    assert found == Answer("NOERROR", records=("v=spf1 -all",))


def test_a_name_that_nobody_would_write_is_told_escaped() -> None:
    found = read(response("NS", r"\032A\.b."), 7, question("example.net", "NS"))
    assert found == Answer("NOERROR", records=(r"\032a\.b.",))


def test_records_of_other_types_are_left_out() -> None:
    made = dns.message.from_wire(response())
    made.answer.append(dns.rrset.from_text("example.net.", 60, "IN", "CNAME", "a.example.net."))
    made.answer.append(dns.rrset.from_text("a.example.net.", 60, "IN", "A", "192.0.2.9"))
    assert read(made.to_wire(), 7, ASKED) == Answer("NOERROR", records=("192.0.2.9",))


def test_the_question_may_come_back_in_other_capitals() -> None:
    wire = response("A", "192.0.2.1").replace(b"\x07example", b"\x07eXamPle")
    assert read(wire, 7, ASKED) == Answer("NOERROR", records=("192.0.2.1",))


def test_an_answer_cut_short_is_told_so() -> None:
    assert read(response(flags=dns.flags.TC), 7, ASKED) == Answer("NOERROR", is_truncated=True)


def test_a_response_code_is_told_by_name() -> None:
    assert read(response(rcode=3), 7, ASKED) == Answer("NXDOMAIN")
    assert read(struct.pack("!HHHHHH", 7, 0x8001, 0, 0, 0, 0), 7, ASKED) == Answer("FORMERR")


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(response()[:11], id="no header"),
        pytest.param(b"\0\x08" + response()[2:], id="another id"),
        pytest.param(query(7, ASKED, recursion=True), id="a query"),
        pytest.param(response(name="example.org"), id="another name"),
        pytest.param(response("MX"), id="another type"),
        pytest.param(struct.pack("!HHHHHH", 7, 0x8000, 0, 0, 0, 0), id="no question"),
        pytest.param(struct.pack("!HHHHHH", 7, 0xA800, 1, 0, 0, 0) + ASKED, id="an update"),
        pytest.param(response()[:20], id="half a question"),
    ],
)
def test_what_answers_something_else_is_a_strangers(wire: bytes) -> None:
    assert read(wire, 7, ASKED) is None


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xc0", id="half a pointer"),
        pytest.param(b"\0\0\x01\0\x01\0\0\0\0\0\x05abcde", id="an address of five bytes"),
        pytest.param(b"\0\0\x01\0\x01\0\0\0\0\0\x04a", id="less than it says"),
        pytest.param(b"\0\0\x02\0\x01\0\0\0\0\0\x04a", id="of another type, less than it says"),
        pytest.param(b"\x3f" * 64, id="no end"),
    ],
)
def test_records_that_are_none_are_malformed(tail: bytes) -> None:
    head = struct.pack("!HHHHHH", 7, 0x8000, 1, 1, 0, 0) + ASKED
    with pytest.raises(MalformedAnswer, match="in its records"):
        read(head + tail, 7, ASKED)


def test_a_name_that_points_at_itself_is_malformed() -> None:
    asked = question("a", "NS")
    head = struct.pack("!HHHHHH", 7, 0x8000, 1, 1, 0, 0) + asked
    loop = bytes((0xC0, len(head) + 11))
    with pytest.raises(MalformedAnswer, match="in its records"):
        read(head + b"\0\0\x02\0\x01\0\0\0\0\0\x02" + loop, 7, asked)


def test_an_answer_longer_than_a_check_needs_is_oversized() -> None:
    head = struct.pack("!HHHHHH", 7, 0x8000, 1, RECORDS_LIMIT + 1, 0, 0) + ASKED
    with pytest.raises(OversizedAnswer, match="101 answers"):
        read(head, 7, ASKED)
    head = struct.pack("!HHHHHH", 7, 0x8000, 1, 0, 0, 0) + ASKED
    with pytest.raises(OversizedAnswer, match="bytes"):
        read(head.ljust(SIZE_LIMIT + 1), 7, ASKED)


def test_the_worst_answer_holds_nobody_up() -> None:
    """As many records as are looked at, each of two names of 127 labels through pointers."""
    asked = question(".", "SOA")
    head = struct.pack("!HHHHHH", 7, 0x8000, 1, RECORDS_LIMIT, 0, 0) + asked
    first = b"\x01a" * 126 + b"\0"
    begin = len(head) + 11
    names = first + struct.pack("!H", 0xC000 | begin)
    wire = head + b"\0" + struct.pack("!HHIH", 6, 1, 0, len(names) + 20) + names + bytes(20)
    pointers = struct.pack("!HH", 0xC000 | begin, 0xC000 | begin) + bytes(20)
    wire += (b"\0" + struct.pack("!HHIH", 6, 1, 0, len(pointers)) + pointers) * (RECORDS_LIMIT - 1)
    begun = time.process_time()
    found = read(wire, 7, asked)
    took = time.process_time() - begun
    assert found is not None
    assert len(found.records) == RECORDS_LIMIT
    assert took < 0.5


GOOD = response("MX", "10 mail.example.net.", "20 a.mail.example.net.")


@given(st.data())
def test_any_bytes_are_an_answer_or_a_strangers_or_wrong(data: st.DataObject) -> None:
    wire = bytearray(GOOD)
    for _ in range(data.draw(st.integers(0, 8))):
        wire[data.draw(st.integers(2, len(wire) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(wire)))
    tail = data.draw(st.binary(max_size=40))
    try:
        found = read(bytes(wire[:cut]) + tail, 7, question("example.net", "MX"))
    except (MalformedAnswer, OversizedAnswer):
        return
    assert found is None or len(found.records) <= RECORDS_LIMIT

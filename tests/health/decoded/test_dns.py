import struct

import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.decoded.dns import RECORDS, taking
from libra_health.decoded.flow import Unreadable, Way
from libra_health.outcome import excerpt

DATAGRAM = taking(Way(is_sent=False, is_stream=False))
STREAM = taking(Way(is_sent=False))
WHERE = "www.example.net."


def answer(*texts: str, kind: str = "A") -> bytes:
    asked = dns.message.make_query(WHERE, kind, id=7)
    found = dns.message.make_response(asked, recursion_available=True)
    if texts:
        found.answer.append(dns.rrset.from_text(WHERE, 60, "IN", kind, *texts))
    return found.to_wire()


def words(data: bytes) -> str:
    found = DATAGRAM(data, excerpt)
    assert found is not None
    assert found[1] == len(data)
    return found[0]


def test_a_question_is_told() -> None:
    asked = dns.message.make_query(WHERE, "AAAA", id=7).to_wire()
    assert words(asked) == "DNS query id 0x0007, rd; www.example.net. AAAA"


@pytest.mark.parametrize(
    ("texts", "kind", "told"),
    [
        (("192.0.2.7",), "A", "1 answer: www.example.net. 60 A 192.0.2.7"),
        (("10 mail.",), "MX", "1 answer: www.example.net. 60 MX 10 mail."),
        (('"a\x1bb"',), "TXT", r'1 answer: www.example.net. 60 TXT "a\\027b"'),
    ],
)
def test_an_answer_is_told_by_its_records(texts: tuple[str, ...], kind: str, told: str) -> None:
    head = f"DNS answer id 0x0007, NOERROR, rd ra; www.example.net. {kind}"
    assert words(answer(*texts, kind=kind)) == f"{head}; {told}"


def test_of_many_records_a_few_are_shown() -> None:
    told = words(answer(*(f"192.0.2.{n}" for n in range(20))))
    assert "; 20 answers: " in told
    assert told.endswith(f" and {20 - RECORDS} more")
    assert told.count("192.0.2.") == RECORDS


def test_what_cannot_be_read_is_shown_after_what_can() -> None:
    cut = answer("192.0.2.7")[:-2]
    assert words(cut).startswith("DNS answer id 0x0007, NOERROR, rd ra; www.example.net. A; not to")


def test_other_classes_operations_and_sections_are_named() -> None:
    asked = dns.message.make_query("version.bind.", "TXT", "CH", id=7).to_wire()
    other = asked[:2] + b"\x11" + asked[3:8] + b"\0\1\0\2" + asked[12:]
    assert words(other) == (
        "DNS query id 0x0007, opcode 2, rd; version.bind. CH TXT; 1 authority; 2 additional"
    )


def test_many_questions_are_counted() -> None:
    assert words(b"\0\7\0\0\xff\xff" + bytes(6)) == "DNS query id 0x0007; 65535 questions"


def test_over_tcp_a_message_has_its_length_first() -> None:
    framed = struct.pack("!H", len(answer())) + answer()
    assert STREAM(b"\0", excerpt) is None
    assert STREAM(framed[:-1], excerpt) is None
    found = STREAM(framed + b"more", excerpt)
    assert found is not None
    assert found[1] == len(framed)


@pytest.mark.parametrize("data", [b"", b"\0\7\x81\x80"])
def test_what_is_too_short_is_no_message(data: bytes) -> None:
    with pytest.raises(Unreadable):
        DATAGRAM(data, excerpt)


HEADER = st.builds(
    lambda flags, counts: struct.pack("!HHHHHH", 7, flags, *counts),
    st.integers(0, 0xFFFF),
    st.tuples(*(st.integers(0, 9) for _ in range(4))),
)
RECORD = st.builds(
    lambda kind, family, data: b"\0" + struct.pack("!HHIH", kind, family, 60, len(data)) + data,
    st.integers(0, 300), st.sampled_from([1, 3, 254, 999]), st.binary(max_size=40),
)  # fmt: skip


@given(st.one_of(
    st.binary(max_size=60),
    st.builds(bytes.__add__, HEADER, st.binary(max_size=60)),
    st.builds(lambda head, records: head[:4] + b"\0\0" + head[6:] + b"".join(records),
              HEADER, st.lists(RECORD, max_size=4)),
))  # fmt: skip
def test_any_bytes_are_a_message_or_none(data: bytes) -> None:
    try:
        told = words(data)
    except Unreadable:
        return
    assert told.isascii()
    assert told.isprintable()

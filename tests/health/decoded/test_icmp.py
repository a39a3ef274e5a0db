import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.decoded.flow import Unreadable, Way
from libra_health.decoded.icmp import taking
from libra_health.outcome import excerpt

IP = b"\x45" + bytes(19)
REPLY = bytes.fromhex("0000ffff00110007") + b"payload"


@pytest.mark.parametrize(
    ("way", "data", "words"),
    [
        (Way(is_sent=True), b"\x08" + bytes(5) + b"\0\7",
         "ICMP echo request, the kernel's id, seq 7, 0 bytes"),
        (Way(is_sent=True, is_raw=True), b"\x08\0\0\0\0\5\0\7",
         "ICMP echo request, id 5, seq 7, 0 bytes"),
        (Way(is_sent=False), REPLY, "ICMP echo reply, id 17, seq 7, 7 bytes"),
        (Way(is_sent=False, is_raw=True), IP + REPLY, "ICMP echo reply, id 17, seq 7, 7 bytes"),
        (Way(is_sent=False, is_raw=True, is_ipv6=True), b"\x81" + REPLY[1:],
         "ICMPv6 echo reply, id 17, seq 7, 7 bytes"),
        (Way(is_sent=False), b"\x03\x01" + bytes(8), "ICMP destination unreachable: host"),
        (Way(is_sent=False), b"\x03\x2a" + bytes(8), "ICMP destination unreachable: code 42"),
        (Way(is_sent=False, is_ipv6=True), b"\x01\x04" + bytes(8),
         "ICMPv6 destination unreachable: port"),
        (Way(is_sent=False), b"\x2a\x01" + bytes(6) + b"\x1b", r"ICMP type 42, code 1: '\x1b'"),
    ],
)  # fmt: skip
def test_a_message_is_told_by_its_name(way: Way, data: bytes, words: str) -> None:
    assert taking(way)(data, excerpt) == (words, len(data))


@pytest.mark.parametrize("data", [b"", b"\x45", IP, IP + b"\0\0"])
def test_what_is_too_short_is_none(data: bytes) -> None:
    with pytest.raises(Unreadable):
        taking(Way(is_sent=False, is_raw=True))(data, excerpt)


@given(st.binary(max_size=100), st.booleans(), st.booleans(), st.booleans())
def test_any_bytes_are_a_message_or_none(data: bytes, sent: bool, six: bool, raw: bool) -> None:
    take = taking(Way(is_sent=sent, is_stream=False, is_ipv6=six, is_raw=raw))
    try:
        found = take(data, excerpt)
    except Unreadable:
        return
    assert found is not None
    assert found[1] == len(data)
    assert found[0].isprintable()

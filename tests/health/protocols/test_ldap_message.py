import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.protocols import ldap_message as ldap
from libra_health.protocols.ldap_message import MalformedMessage, Message, OversizedMessage, take
from libra_schemas.filters import parse


def test_an_anonymous_bind_is_what_every_client_sends() -> None:
    assert ldap.bind(1, "", b"").hex() == "300c020101600702010304008000"


def test_a_simple_bind_holds_name_and_password() -> None:
    assert (
        ldap.bind(2, "cn=a", b"pw")
        == b"\x30\x12\x02\x01\x02\x60\x0d\x02\x01\x03\x04\x04cn=a\x80\x02pw"
    )


def test_start_tls_and_unbind_are_what_every_client_sends() -> None:
    assert ldap.start_tls(1).hex() == (
        "301d02010177188016312e332e362e312e342e312e313436362e3230303337"
    )
    assert ldap.unbind(4) == b"\x30\x05\x02\x01\x04\x42\x00"


def test_a_search_asks_for_no_attributes() -> None:
    wanted = ldap.search("dc=a", "base", parse("(objectClass=*)"), 1)
    assert ldap.request_search(3, wanted).hex() == (
        "302e020103" "6329" "040464633d61" "0a0100" "0a0100" "020101" "020100" "0101ff"
        "870b6f626a656374436c617373" "3005" "0403312e31"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("(a=b)", b"\xa3\x06\x04\x01a\x04\x01b"),
        ("(a>=b)", b"\xa5\x06\x04\x01a\x04\x01b"),
        ("(a<=b)", b"\xa6\x06\x04\x01a\x04\x01b"),
        ("(a~=b)", b"\xa8\x06\x04\x01a\x04\x01b"),
        ("(a=*)", b"\x87\x01a"),
        ("(!(a=*))", b"\xa2\x03\x87\x01a"),
        ("(&(a=*)(b=*))", b"\xa0\x06\x87\x01a\x87\x01b"),
        ("(|(a=*)(b=*))", b"\xa1\x06\x87\x01a\x87\x01b"),
        ("(a=x*y*z*w)", b"\xa4\x11\x04\x01a\x30\x0c\x80\x01x\x81\x01y\x81\x01z\x82\x01w"),
        ("(a=x*)", b"\xa4\x08\x04\x01a\x30\x03\x80\x01x"),
        ("(a=*x)", b"\xa4\x08\x04\x01a\x30\x03\x82\x01x"),
        ("(a=*x*)", b"\xa4\x08\x04\x01a\x30\x03\x81\x01x"),
    ],
)
def test_a_filter_is_written_as_rfc_4511_says(text: str, wire: bytes) -> None:
    assert ldap.filter_of(parse(text)) == wire


BOUND = b"\x30\x0c\x02\x01\x02\x61\x07\x0a\x01\x00\x04\x00\x04\x00"
DENIED = b"\x30\x0e\x02\x01\x02\x61\x09\x0a\x01\x31\x04\x00\x04\x02no"
MESSAGES = [
    (BOUND, Message(2, ldap.BOUND)),
    (DENIED, Message(2, ldap.BOUND, 49, b"no")),
    (b"\x30\x09\x02\x01\x03\x64\x04\x04\x00\x30\x00", Message(3, ldap.ENTRY)),
    (b"\x30\x09\x02\x01\x03\x73\x04\x04\x02ld", Message(3, ldap.REFERENCE)),
    (b"\x30\x0c\x02\x01\x00\x78\x07\x0a\x01\x34\x04\x00\x04\x00", Message(0, ldap.ANSWERED, 52)),
    (BOUND[:1] + b"\x84\0\0\0\x0c" + BOUND[2:], Message(2, ldap.BOUND)),
]


@pytest.mark.parametrize(("wire", "message"), MESSAGES)
def test_a_message_is_read_once_it_is_whole(wire: bytes, message: Message) -> None:
    assert take(b"x" + wire + b"\x30", 1) == (message, 1 + len(wire))
    for cut in range(len(wire)):
        assert take(wire[:cut]) is None


def test_a_result_is_told_by_name() -> None:
    assert Message(2, ldap.BOUND, 49).result == "invalidCredentials"
    assert Message(2, ldap.BOUND, 123).result == "result 123"


@pytest.mark.parametrize(
    ("wire", "complaint"),
    [
        (b"HTTP/1.1", "no LDAP message"),
        (b"\x30\x80", "a length of no or too many octets"),
        (b"\x30\x03\x02\x01\x02", "no answer of a server"),
        (b"\x30\x05\x02\x01\x02\x60\x00", "no answer of a server"),
        (b"\x30\x05\x04\x01\x02\x61\x00", "no number"),
        (b"\x30\x05\x02\x01\x02\x61\x00", "no result"),
        (b"\x30\x0b\x02\x01\x02\x61\x06\x0a\x00\x04\x00\x04\x00", "no number"),
        (b"\x30\x0c\x02\x01\x02\x61\x07\x02\x01\x00\x04\x00\x04\x00", "no result"),
        (b"\x30\x05\x02\x01\x02\x61\x40", "ends after the one it is in"),
    ],
)
def test_what_is_no_message_is_malformed(wire: bytes, complaint: str) -> None:
    with pytest.raises(MalformedMessage, match=complaint):
        take(wire)


def test_a_message_that_nobody_needs_is_oversized_before_it_is_there() -> None:
    with pytest.raises(OversizedMessage, match="a message of 16777222 bytes"):
        take(b"\x30\x84\x01\x00\x00\x00")


@given(st.sampled_from([each for each, _ in MESSAGES]), st.data())
def test_any_bytes_are_a_message_or_a_wait_or_wrong(good: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(good)))
    wire = good[:at] + data.draw(st.binary(max_size=20)) + good[at:]
    try:
        found = take(wire)
    except (MalformedMessage, OversizedMessage):
        return
    assert found is None or 0 < found[1] <= len(wire)

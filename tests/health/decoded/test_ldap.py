import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.decoded.flow import Unreadable, Way
from libra_health.decoded.ldap import taking
from libra_health.outcome import excerpt
from libra_health.protocols import ber
from libra_health.protocols import ldap_message as ldap
from libra_schemas.filters import parse

SENT, HEARD = taking(Way(is_sent=True)), taking(Way(is_sent=False))


def message(identity: int, tag: int, *contents: bytes) -> bytes:
    return ber.write(ber.SEQUENCE, ber.write_number(identity), ber.write(tag, *contents))


def octets(text: bytes) -> bytes:
    return ber.write(ber.OCTETS, text)


def result(tag: int, code: int, matched: bytes = b"", text: bytes = b"") -> bytes:
    return message(2, tag, ber.write_number(code, ber.ENUMERATED), octets(matched), octets(text))


def search(wanted: str, most: int = 1) -> bytes:
    return ldap.request_search(3, ldap.search("dc=a", "one", parse(wanted), most))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (ldap.bind(2, "", b""), "LDAP 2 bind, anonymous"),
        (ldap.bind(2, "cn=a", b"pw"), "LDAP 2 bind as 'cn=a', password (secret)"),
        (ldap.bind(2, "cn=a", b""), "LDAP 2 bind as 'cn=a', no password"),
        (ldap.start_tls(1), "LDAP 1 StartTLS"),
        (message(1, ldap.EXTENDED, ber.write(0x80, b"1.2")), "LDAP 1 extended request '1.2'"),
        (ldap.unbind(4), "LDAP 4 unbind"),
        (search("(a=b)", 0), "LDAP 3 search in 'dc=a', scope one, for (a=b)"),
        (search("(a=b)"), "LDAP 3 search in 'dc=a', scope one, for (a=b), size limit 1"),
    ],
)
def test_a_request_is_told(data: bytes, words: str) -> None:
    assert SENT(data + b"more", excerpt) == (words, len(data))


@pytest.mark.parametrize(
    "text",
    ["(a=*)", "(!(a=*))", "(&(a>=b)(b<=c))", "(|(a~=b)(c=d))", "(a=x*)", "(a=*x)", "(a=*x*)",
     "(a=x*y*z*w)"],
)  # fmt: skip
def test_a_filter_is_shown_as_it_was_written(text: str) -> None:
    found = SENT(search(text, 0), excerpt)
    assert found is not None
    assert found[0].endswith(f", for {text}")


def test_a_filter_that_is_too_deep_is_cut() -> None:
    found = SENT(search("(!" * 9 + "(a=b)" + ")" * 9, 0), excerpt)
    assert found is not None
    assert found[0].endswith("(!(!(...)))))))))")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (result(ldap.BOUND, 0), "LDAP 2 bind result success (0)"),
        (result(ldap.BOUND, 49, b"", b"no\x1b"),
         r"LDAP 2 bind result invalidCredentials (49): 'no\x1b'"),
        (result(ldap.DONE, 32, b"dc=a"), "LDAP 2 search done noSuchObject (32), matched 'dc=a'"),
        (result(ldap.ANSWERED, 99), "LDAP 2 extended result result 99 (99)"),
        (message(3, ldap.ENTRY, octets(b"uid=ada"), ber.write(0x30)), "LDAP 3 entry 'uid=ada'"),
        (message(3, ldap.REFERENCE, octets(b"ldap://b"), octets(b"ldap://c")),
         "LDAP 3 reference ldap://b, ldap://c"),
        (message(3, ldap.INTERMEDIATE), "LDAP 3 intermediate answer"),
    ],
)  # fmt: skip
def test_what_a_server_says_is_told(data: bytes, words: str) -> None:
    assert HEARD(data, excerpt) == (words, len(data))


def test_a_message_is_waited_for() -> None:
    whole = result(ldap.BOUND, 0)
    assert {HEARD(whole[:end], excerpt) for end in range(1, len(whole))} == {None}


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400\r\n",
        b"\x30\x80",
        b"\x30\x84\x7f\xff\xff\xff",
        b"\x30\x00",
        message(2, ldap.BOUND),
        message(2, ldap.BIND),
        ldap.bind(2, "cn=a", b"pw"),
    ],
)
def test_what_is_no_message_of_a_server_is_none(data: bytes) -> None:
    with pytest.raises(Unreadable):
        HEARD(data, excerpt)


@pytest.mark.parametrize(
    "data",
    [
        message(2, ldap.BOUND),
        message(2, ldap.BIND, ber.write_number(3), octets(b""), ber.write(0xA3)),
        message(3, ldap.SEARCH, octets(b""), *[ber.write_number(0, ber.ENUMERATED)] * 2,
                *[ber.write_number(0)] * 2, b"\x01\x01\xff", b"\xbf\x00"),
        message(3, ldap.SEARCH, octets(b""), *[ber.write_number(0, ber.ENUMERATED)] * 2,
                *[ber.write_number(0)] * 2, b"\x01\x01\xff", b"\xa9\x00"),
    ],
)  # fmt: skip
def test_what_no_check_asks_is_none(data: bytes) -> None:
    with pytest.raises(Unreadable):
        SENT(data, excerpt)


TAGS = st.sampled_from([0x60, 0x61, 0x63, 0x64, 0x65, 0x73, 0x77, 0x78, 0x42, 0xA0, 0x30])
INNER = st.recursive(
    st.builds(ber.write, st.sampled_from([2, 4, 10, 0x80, 0x82, 0x87]), st.binary(max_size=6)),
    lambda inner: st.builds(
        lambda tag, parts: ber.write(tag, *parts),
        st.sampled_from([0x30, 0xA0, 0xA2, 0xA3, 0xA4]), st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)  # fmt: skip
MESSAGES = st.builds(lambda tag, parts: message(2, tag, *parts), TAGS, st.lists(INNER, max_size=8))


@given(st.one_of(st.binary(min_size=1, max_size=60), MESSAGES), st.booleans())
def test_any_bytes_are_a_message_or_none(data: bytes, sent: bool) -> None:
    try:
        found = (SENT if sent else HEARD)(data, excerpt)
    except Unreadable:
        return
    if found is not None:
        assert 0 < found[1] <= len(data)
        assert found[0].isprintable()

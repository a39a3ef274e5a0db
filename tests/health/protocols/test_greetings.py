import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.outcome import Reason
from libra_health.protocols.greetings import (
    LINE_LIMIT,
    READERS,
    Read,
    Wrong,
    imap,
    ldap,
    mysql,
    mysql_login,
    pop3,
    postgresql,
    redis,
    reply,
)


def unhex(text: str) -> bytes:
    return bytes.fromhex(text)


def refusal(sequence: int, code: int, text: bytes) -> bytes:
    content = b"\xff" + code.to_bytes(2, "little") + text
    return len(content).to_bytes(3, "little") + bytes([sequence]) + content


HANDSHAKE = unhex("0900 0000") + b"\x0a11.4.2\0" + b"\0"
BLOCKED = refusal(0, 1129, b"Host is blocked now")
DENIED = refusal(2, 1045, b"#28000go away.")
TOO_MANY = refusal(2, 1040, b"#08004Too many.")
LOGGED_IN = unhex("0700 0002 0000 0002 0000 00")
BOUND = unhex("300c 020101 6107 0a0100 0400 0400")
LONG_BOUND = unhex("3084 0000000c 020101 6107 0a0100 0400 0400")
NO_ANONYMOUS = unhex("300c 020101 6107 0a0130 0400 0400")
BUSY = unhex("3010 020101 610b 0a0133 0400 0404") + b"busy"
UNAVAILABLE = unhex("300c 020101 6107 0a0134 0400 0400")
GOODBYE = unhex("300c 020100 7807 0a0134 0400 0400")
_FIELDS = b"SFATAL\0C57P03\0Mnot yet\0\0"
RECOVERING = b"E" + (4 + len(_FIELDS)).to_bytes(4, "big") + _FIELDS
GOOD = [
    ("220", b"220 mail ESMTP\r\n"),
    ("220", b"220\n"),
    ("220", b"220-one\r\n220-two\r\n220 three\r\n"),
    ("220", b"220-one\r\n  anything else\r\n220 three\r\n"),
    ("imap", b"* OK [CAPABILITY IMAP4rev1] ready\r\n"),
    ("imap", b"* preauth welcome\n"),
    ("pop3", b"+OK ready\r\n"),
    ("redis", b"+PONG\r\n"),
    ("redis", b"-NOAUTH Authentication required.\r\n"),
    ("redis", b"-NOPERM this user has no permissions\r\n"),
    ("ldap", BOUND),
    ("ldap", LONG_BOUND),
    ("ldap", NO_ANONYMOUS),
    ("mysql", HANDSHAKE),
    ("mysql login", LOGGED_IN),
    ("mysql login", DENIED),
    ("postgresql", b"S"),
    ("postgresql", b"N"),
]


@pytest.mark.parametrize(("name", "heard"), GOOD)
def test_an_answer_of_a_working_server_ends_where_it_ends(name: str, heard: bytes) -> None:
    reader = READERS[name][1]
    assert reader(heard) == len(heard)
    assert reader(heard + b"more") == len(heard)
    assert {reader(heard[:cut]) for cut in range(len(heard))} == {None}


NO, UNLIKE = Reason.STATUS, Reason.MALFORMED


@pytest.mark.parametrize(
    ("read", "reason", "detail"),
    [
        (reply(b"554 go away\r\n"), NO, "the backend says no: '554 go away'"),
        (reply(b"421-a\r\n421 b\r\n"), NO, "the backend says no: '421-a'"),
        (reply(b"SSH-2.0-OpenSSH\r\n"), UNLIKE, "not a reply: 'SSH-2.0-OpenSSH'"),
        (reply(b"2200\n"), UNLIKE, "not a reply: '2200'"),
        (imap(b"* BYE full\r\n"), NO, "the backend says no: '* BYE full'"),
        (imap(b"220 x\r\n"), UNLIKE, "not an IMAP greeting: '220 x'"),
        (pop3(b"-ERR full\r\n"), NO, "the backend says no: '-ERR full'"),
        (pop3(b"* OK\r\n"), UNLIKE, "not a POP3 greeting: '* OK'"),
        (redis(b"-LOADING data\r\n"), NO, "the backend says no: '-LOADING data'"),
        (redis(b"HTTP/1.1 400\r\n"), UNLIKE, "not an answer to PING: 'HTTP/1.1 400'"),
        (ldap(BUSY), NO, "bind: result 51 (busy): 'busy'"),
        (ldap(UNAVAILABLE), NO, "bind: result 52 (unavailable)"),
        (ldap(unhex("3008 020101 6103 0a0150")), NO, "bind: result 80 (other)"),
        (ldap(b"HTTP"), UNLIKE, "not an LDAP message: 'HTTP'"),
        (ldap(unhex("3080 0000")), UNLIKE, "not an LDAP message: '0\\x80\\x00\\x00'"),
        (ldap(unhex("3084 ffffffff")), UNLIKE, "not an LDAP message: '0\\x84\\xff\\xff\\xff\\xff'"),
        (ldap(unhex("3000")), UNLIKE, "not an LDAP message: '0\\x00'"),
        (ldap(unhex("3003 020101")), UNLIKE, "not an answer to a bind: '0\\x03\\x02\\x01\\x01'"),
        (mysql(BLOCKED), NO, "error 1129: 'Host is blocked now'"),
        (mysql(b"SSH-2.0-x"), UNLIKE, "not a packet of MySQL: 'SSH-2.0-x'"),
        (mysql(unhex("0100 0000 09")), UNLIKE, None),
        (mysql_login(TOO_MANY), NO, "error 1040: 'Too many.'"),
        (mysql_login(b"\xff\xff\xff\0\0"), UNLIKE, None),
        (postgresql(RECOVERING), NO, "error: 'not yet'"),
        (postgresql(b"EFATAL: too many\n\0"), NO, "error: 'FATAL: too many\\n\\x00'"),
        (postgresql(b"HTTP/1.1"), UNLIKE, "not an answer to an SSLRequest: 'HTTP/1.1'"),
    ],
)
def test_what_is_wrong_is_told(read: Read, reason: Reason, detail: str | None) -> None:
    assert isinstance(read, Wrong)
    assert read.reason is reason
    assert detail in {None, read.detail}


def test_a_notice_of_disconnection_is_no_answer_to_a_bind() -> None:
    read = ldap(GOODBYE)
    assert isinstance(read, Wrong)
    assert read.detail.startswith("notice of disconnection: '0\\x0c")


@pytest.mark.parametrize("heard", [b"", b"E", b"E\0\0\0", RECOVERING[:-1]])
def test_an_error_of_postgresql_is_read_to_its_end(heard: bytes) -> None:
    assert postgresql(heard) is None


@pytest.mark.parametrize("name", ["220", "imap", "pop3", "redis"])
def test_a_line_ends_in_time(name: str) -> None:
    reader = READERS[name][1]
    assert reader(b"2" * (LINE_LIMIT - 1)) is None
    assert isinstance(reader(b"2" * LINE_LIMIT), Wrong)


STARTS = st.sampled_from([b"", *(heard[:cut] for _, heard in GOOD for cut in (1, 4, 5, 9))])


@given(STARTS, st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_wrong_or_want_more(start: bytes, rest: bytes) -> None:
    heard = start + rest
    for _, reader in READERS.values():
        read = reader(heard)
        if isinstance(read, Wrong):
            assert re.fullmatch(r"[ -~]{1,400}", read.detail)
        elif read is not None:
            assert 1 <= read <= len(heard)


@given(STARTS, st.binary(max_size=60), st.integers(0, 70))
def test_more_bytes_never_change_what_was_decided(start: bytes, rest: bytes, cut: int) -> None:
    heard = start + rest
    for _, reader in READERS.values():
        early, late = reader(heard[:cut]), reader(heard)
        if isinstance(early, int):
            assert late == early
        elif isinstance(early, Wrong):
            assert isinstance(late, Wrong)

import errno
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.dialogue import LINE, MOST, PER_LINE, Dialogue, dialogue_of, shown, tell
from libra_health.errands import (
    Execute,
    Executed,
    FileRead,
    FileUnread,
    ReadFile,
    Unexecuted,
)
from libra_health.outcome import Reason
from libra_health.wire import (
    Connect,
    Connected,
    DeadlineReached,
    Effect,
    Ended,
    Input,
    OpenPing,
    OpenUdp,
    Origin,
    PingOpened,
    Receive,
    Received,
    Refused,
    Search,
    Searched,
    Secured,
    Send,
    StartTls,
    Target,
    Tls,
    UdpOpened,
    Unsecured,
)

WEB = Target("10.0.0.1", 80)
DAY = 86400.0
TOLD = [
    (Connect(WEB, abort=True), "connect 10.0.0.1:80"),
    (
        Connect(Target("::1", 80, Origin("::2", "eth1", 7)), abort=False),
        "connect [::1]:80 from ::2 by eth1 with mark 0x7",
    ),
    (OpenUdp(Target("10.0.0.1", 53)), "UDP to 10.0.0.1:53"),
    (OpenPing(Target("10.0.0.1"), bytes(4)), "ping 10.0.0.1"),
    (
        StartTls(Tls("web.example", ca="/etc/ca.pem")),
        "TLS handshake for web.example, certificate held against /etc/ca.pem",
    ),
    (
        StartTls(Tls("web.example")),
        "TLS handshake for web.example, certificate held against what the system trusts",
    ),
    (StartTls(Tls("", verify=False)), "TLS handshake, certificate not verified"),
    (Search("a+b", b"12345"), "look for /a+b/ in 5 bytes"),
    (ReadFile("/etc/libra/token"), "read /etc/libra/token"),
    (Execute(("/bin/check", "a b"), user="nobody"), "run /bin/check 'a b' as nobody"),
    (Execute(("/bin/check",), environment=(("TOKEN", "hidden"),)), "run /bin/check"),
    (Send(b"PING\r\n"), "> PING"),
    (Receive(), None),
    (Connected(), "connected"),
    (UdpOpened(), "UDP socket open"),
    (PingOpened(raw=False), "echo socket open"),
    (PingOpened(raw=True), "raw echo socket open"),
    (Secured(41 * DAY + 5, "TLSv1.3", "h2"), "TLS 1.3, certificate valid for 41 days, h2"),
    (Secured(DAY, "TLSv1.2"), "TLS 1.2, certificate valid for 1 day"),
    (Secured(5400, "TLSv1.2"), "TLS 1.2, certificate valid for 1.5 hours"),
    (Secured(None, "TLSv1.3"), "TLS 1.3, certificate not verified"),
    (Unsecured(Reason.TLS, "no\x1b[2J TLS"), "no [2J TLS"),
    (Refused(errno.ECONNREFUSED, immediate=False), "ECONNREFUSED: Connection refused"),
    (Refused(12345, immediate=False), "12345: Unknown error 12345"),
    (Received(b"+PONG\r\n"), "< +PONG"),
    (Received(b""), "< nothing"),
    (Ended(), "closed by the backend"),
    (DeadlineReached(), "the time is over"),
    (Searched(found=True), "found"),
    (Searched(found=False), "not found"),
    (Searched(None), "not decided in time"),
    (FileRead(b"hidden", 61.5), "6 bytes read, written 0:01:01 ago"),
    (FileUnread(errno.ENOENT), "not read: No such file or directory"),
    (Executed(-9, b""), "the program ended: killed by SIGKILL"),
    (Unexecuted("no such program"), "no such program"),
]


@pytest.mark.parametrize(("event", "said"), TOLD)
def test_everything_asked_and_heard_is_told_in_a_line(
    event: Effect | Input, said: str | None
) -> None:
    assert tell(Dialogue(), event)[1] == (() if said is None else (said,))


def test_nothing_that_a_check_may_ask_or_hear_is_forgotten_above() -> None:
    assert {type(event) for event, _ in TOLD} == {*get_args(Effect), *get_args(Input)}


def test_a_message_is_shown_line_by_line_as_it_is_but_for_what_a_terminal_obeys() -> None:
    _, lines = tell(Dialogue(), Received(b"HTTP/1.1 200 OK\r\n\r\n\x1b]0;hi\x07\xe2\x80\xae\n\nx"))
    assert lines == (
        "< HTTP/1.1 200 OK", "< ", r"< \x1b]0;hi\x07\xe2\x80\xae", "< ", "< x",
    )  # fmt: skip


def test_a_secret_is_shown_neither_going_nor_coming_back() -> None:
    dialogue, lines = tell(Dialogue(), Send(b"AUTH aGk= aGk=2\r\n", (b"aGk=", b"", b"aGk=2")))
    assert lines == ("> AUTH (secret) (secret)",)
    dialogue, lines = tell(dialogue, Received(b"500 what is aGk=?\r\n"))
    assert lines == ("< 500 what is (secret)?",)
    assert shown(dialogue, "got aGk=2") == "got (secret)"


def test_a_secret_is_not_shown_escaped_either() -> None:
    dialogue, _ = tell(Dialogue(), Send(b"\x00\xffpw", (b"\xffpw",)))
    assert shown(dialogue, r"'a\xffpw'") == "'a(secret)'"


def test_what_never_ends_is_shown_up_to_a_bound() -> None:
    dialogue, told = Dialogue(), list[str]()
    for _ in range(100):
        dialogue, lines = tell(dialogue, Received(b"a\n" * 30000))
        told += lines
    assert told[-1] == "< (and more)"
    assert len(told) <= MOST // PER_LINE + 1


@given(st.lists(st.binary(max_size=300), max_size=20), st.binary(min_size=1, max_size=4))
def test_whatever_comes_is_shown_in_printable_ascii(parts: list[bytes], secret: bytes) -> None:
    dialogue = Dialogue((secret,))
    for part in parts:
        dialogue, lines = tell(dialogue, Received(part))
        assert all(line.isascii() and line.isprintable() for line in lines)
        assert all(len(line) <= LINE + 2 for line in lines)


def test_no_word_of_a_secret_comes_back() -> None:
    dialogue, _ = tell(Dialogue(), Send(b"A: Bearer tok-123\n", (b"Bearer tok-123",)))
    assert tell(dialogue, Received(b"bad token tok-123\n"))[1] == ("< bad token (secret)",)


BIND = bytes.fromhex("3016020102601102010304026e6d8008") + b"hunter22"


def test_messages_that_are_no_text_are_put_in_words_and_no_password_in_them() -> None:
    dialogue, _ = tell(dialogue_of("ldap"), Connect(WEB, abort=False))
    dialogue, lines = tell(dialogue, Send(BIND, (b"hunter22",)))
    assert lines == ("> LDAP 2 bind as 'nm', password (secret)",)
    echo = bytes.fromhex("301902010261140a01310400040d") + b"not hunter22!"
    _, lines = tell(dialogue, Received(echo))
    assert lines == ("< LDAP 2 bind result invalidCredentials (49): 'not (secret)!'",)


def test_the_beginning_of_a_message_is_shown_when_its_end_cannot_come_any_more() -> None:
    dialogue, _ = tell(dialogue_of("ldap"), Connect(WEB, abort=False))
    dialogue, _ = tell(dialogue, Send(BIND, (b"hunter22",)))
    dialogue, lines = tell(dialogue, Received(BIND[:-1]))
    assert lines == ("< (23 bytes, the message is not whole)",)
    _, lines = tell(dialogue, Ended())
    assert lines == (r"< 0\x16\x02\x01\x02`\x11\x02\x01\x03\x04\x02nm\x80\x08(secret)",
                     "closed by the backend")  # fmt: skip


@given(
    st.sampled_from(["dns", "ldap", "grpc", "icmp", "smtp"]),
    st.sampled_from([Connect(WEB, abort=False), OpenUdp(WEB), OpenPing(WEB, bytes(4))]),
    st.lists(st.binary(max_size=100), max_size=9),
)
def test_any_bytes_give_lines_whatever_the_check(
    kind: str, opening: Effect, parts: list[bytes]
) -> None:
    dialogue, _ = tell(dialogue_of(kind), opening)
    for part in parts:
        dialogue, sent = tell(dialogue, Send(part))
        dialogue, heard = tell(dialogue, Received(part))
        assert all(line.isprintable() for line in (*sent, *heard))
        assert all(len(line) <= LINE + 2 for line in (*sent, *heard))
    tell(dialogue, Ended())


@given(st.sampled_from(["dns", "ldap", "grpc", "icmp"]), st.binary(max_size=60), st.binary())
def test_a_secret_is_in_no_line_wherever_it_comes_back(
    kind: str, before: bytes, after: bytes
) -> None:
    secret = b"Xq7-hunter2"
    for opening in (Connect(WEB, abort=False), OpenUdp(WEB)):
        dialogue, _ = tell(dialogue_of(kind), opening)
        dialogue, sent = tell(dialogue, Send(BIND + secret, (secret,)))
        dialogue, heard = tell(dialogue, Received(before + secret + after))
        _, rest = tell(dialogue, DeadlineReached())
        assert secret.decode() not in "".join((*sent, *heard, *rest))


def test_a_line_in_words_is_cut_too() -> None:
    dialogue, _ = tell(dialogue_of("grpc"), Connect(WEB, abort=False))
    settings = b"".join(number.to_bytes(2, "big") + bytes(4) for number in range(100, 160))
    frame = len(settings).to_bytes(3, "big") + b"\x04\0\0\0\0\0" + settings
    _, (line,) = tell(dialogue, Received(frame))
    assert (len(line), line[-3:]) == (LINE + 2, "...")

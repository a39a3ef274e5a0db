import base64
import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.checks.smtp import SmtpSpec, SmtpState, start, step
from libra_health.errands import FileRead, FileUnread, ReadFile
from libra_health.handshake import TlsSpec
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.protocols.smtp_reply import LINE_LIMIT, LINES_LIMIT
from libra_health.wire import (
    RECEIVE,
    Connect,
    Connected,
    DeadlineReached,
    Effects,
    Ended,
    Input,
    PingOpened,
    Received,
    Refused,
    Secured,
    Send,
    StartTls,
    Target,
    Tls,
    Unasked,
    Unsecured,
)

TARGET = Target("192.0.2.1", 25)
TLS = Tls("mx.example")
PLAIN = SmtpSpec()
IMPLICIT = SmtpSpec(tls=TlsSpec(TLS, 172800.0))
STARTTLS = SmtpSpec("probe", tls=TlsSpec(TLS), starttls=True)
LOGIN = SmtpSpec(user="ada", password="/etc/libra/mail")  # noqa: S106  a path
BOTH = SmtpSpec(tls=TlsSpec(TLS), starttls=True, user="ada", password="/etc/libra/mail")  # noqa: S106

BANNER = Received(b"220 mx.example ESMTP\r\n")
HELLO = Received(b"250-mx.example\r\n250-STARTTLS\r\n250 AUTH LOGIN PLAIN\r\n")
ONLY_LOGIN = Received(b"250-mx.example\r\n250 AUTH LOGIN\r\n")
BARE = Received(b"250 mx.example\r\n")
SECURED = Secured(1e6, "TLSv1.3")
QUIT = (Send(b"QUIT\r\n"), *RECEIVE)
EHLO = (Send(b"EHLO localhost\r\n"), *RECEIVE)
PASSWORD = FileRead(b"s3cret\n", 1.0)


def run(spec: SmtpSpec, *inputs: Input) -> tuple[SmtpState, Effects | Outcome]:
    state, effects = start(TARGET, spec, 10.0)
    last: Effects | Outcome = effects
    for event in inputs:
        state, last = step(state, event, 10.25)
    return state, last


def play(spec: SmtpSpec, *inputs: Input) -> Effects | Outcome:
    return run(spec, *inputs)[1]


def failure(spec: SmtpSpec, *inputs: Input) -> Failed:
    outcome = play(spec, *inputs)
    assert isinstance(outcome, Failed)
    assert outcome.latency == 0.25
    return outcome


def test_a_mail_server_is_greeted_and_taken_leave_of() -> None:
    assert play(PLAIN) == (Connect(TARGET, abort=False),)
    assert play(PLAIN, Connected()) == RECEIVE
    assert play(PLAIN, Connected(), BANNER) == EHLO
    assert play(PLAIN, Connected(), BANNER, HELLO) == QUIT
    bye = Received(b"221 bye\r\n")
    assert play(PLAIN, Connected(), BANNER, HELLO, bye) == Passed(0.25)


@pytest.mark.parametrize(
    "end",
    [
        Ended(),
        DeadlineReached(),
        Refused(errno.ECONNRESET, immediate=False),
        Unsecured(Reason.TLS, "closed"),
        Received(b"garbage"),
    ],
)
def test_once_all_was_answered_nothing_can_fail(end: Input) -> None:
    state, _ = run(PLAIN, Connected(), BANNER, HELLO)
    assert step(state, end, 99.0)[1] == Passed(0.25)


def test_a_reply_may_come_in_pieces() -> None:
    assert play(PLAIN, Connected(), Received(b"220-a\r\n22")) == RECEIVE
    assert play(PLAIN, Connected(), Received(b"220-a\r\n22"), Received(b"0 b\r\n")) == EHLO


def test_a_server_that_speaks_out_of_turn_is_taken_at_its_word() -> None:
    outcome = failure(PLAIN, Connected(), Received(b"220 a\r\n421 no\r\n"), Received(b""))
    assert outcome.detail == "answer to EHLO is '421 no', wanted 250"


def test_tls_from_the_first_byte_on_comes_before_the_banner() -> None:
    assert play(IMPLICIT, Connected()) == (StartTls(TLS),)
    assert play(IMPLICIT, Connected(), SECURED) == RECEIVE
    assert play(IMPLICIT, Connected(), SECURED, BANNER, HELLO) == QUIT


def test_after_starttls_the_server_is_greeted_again() -> None:
    said = (Connected(), BANNER, HELLO)
    assert play(STARTTLS, *said) == (Send(b"STARTTLS\r\n"), *RECEIVE)
    ready = Received(b"220 go ahead\r\n")
    assert play(STARTTLS, *said, ready) == (StartTls(TLS),)
    assert play(STARTTLS, *said, ready, SECURED) == (Send(b"EHLO probe\r\n"), *RECEIVE)
    assert play(STARTTLS, *said, ready, SECURED, BARE) == QUIT


def test_what_was_said_before_tls_is_not_believed_after_it() -> None:
    injected = Received(b"220 go ahead\r\n250 AUTH PLAIN\r\n")
    said = (PASSWORD, Connected(), BANNER, HELLO, injected, SECURED)
    assert play(BOTH, *said) == EHLO
    assert failure(BOTH, *said, BARE).reason == Reason.STATUS


def test_a_server_without_starttls_fails() -> None:
    outcome = failure(STARTTLS, Connected(), BANNER, ONLY_LOGIN)
    assert outcome == Failed(Reason.TLS, "offers no STARTTLS: '250 mx.example AUTH LOGIN'", 0.25)


def test_the_password_is_read_first() -> None:
    assert play(LOGIN) == (ReadFile("/etc/libra/mail"),)
    assert play(LOGIN, PASSWORD) == (Connect(TARGET, abort=False),)


def test_without_a_password_the_trouble_is_ours() -> None:
    lacking = Errored(Reason.LOCAL, "cannot read /etc/libra/mail: ENOENT")
    assert play(LOGIN, FileUnread(errno.ENOENT)) == lacking
    late = Errored(Reason.LOCAL, "/etc/libra/mail could not be read in time")
    assert play(LOGIN, DeadlineReached()) == late


def test_who_logs_in_says_name_and_password_at_once_where_that_is_offered() -> None:
    said = (PASSWORD, Connected(), BANNER, HELLO)
    wanted = b"AUTH PLAIN " + base64.b64encode(b"\0ada\0s3cret") + b"\r\n"
    assert play(LOGIN, *said) == (Send(wanted, (wanted[11:-2],)), *RECEIVE)
    assert play(LOGIN, *said, Received(b"235 welcome\r\n")) == QUIT


def test_who_logs_in_says_them_one_by_one_where_only_that_is_offered() -> None:
    said: tuple[Input, ...] = (PASSWORD, Connected(), BANNER, ONLY_LOGIN)
    assert play(LOGIN, *said) == (Send(b"AUTH LOGIN\r\n"), *RECEIVE)
    said += (Received(b"334 VXNlcm5hbWU6\r\n"),)
    assert play(LOGIN, *said) == (Send(base64.b64encode(b"ada") + b"\r\n"), *RECEIVE)
    said += (Received(b"334 UGFzc3dvcmQ6\r\n"),)
    assert play(LOGIN, *said) == (Send(b"czNjcmV0\r\n", (b"czNjcmV0",)), *RECEIVE)
    assert play(LOGIN, *said, Received(b"235 welcome\r\n")) == QUIT


def test_nobody_logs_in_before_tls() -> None:
    said = (PASSWORD, Connected(), BANNER, HELLO)
    assert play(BOTH, *said) == (Send(b"STARTTLS\r\n"), *RECEIVE)


def test_a_server_without_a_way_to_log_in_fails() -> None:
    outcome = failure(LOGIN, PASSWORD, Connected(), BANNER, BARE)
    assert outcome.detail == "offers no AUTH PLAIN or LOGIN: '250 mx.example'"


def test_a_password_never_stands_in_the_evidence() -> None:
    echo = base64.b64encode(b"\0ada\0s3cret")
    said = (PASSWORD, Connected(), BANNER, HELLO)
    outcome = failure(LOGIN, *said, Received(b"535 not s3cret nor " + echo + b"\r\n"))
    assert outcome.detail == "answer to AUTH is '535 not *** nor ***', wanted 235"
    assert "s3cret" not in repr(run(LOGIN, *said)[0])


@pytest.mark.parametrize(
    ("spec", "inputs", "reason", "detail"),
    [
        (PLAIN, [DeadlineReached()], Reason.TIMEOUT, "no connection in time"),
        (PLAIN, [Refused(errno.ECONNREFUSED, False)], Reason.REFUSED, "ECONNREFUSED"),
        (PLAIN, [Connected(), DeadlineReached()], Reason.TIMEOUT, "no greeting in time"),
        (
            PLAIN,
            [Connected(), Received(b"220-a\r\n"), DeadlineReached()],
            Reason.TIMEOUT,
            "no greeting in time: '220-a\\r\\n'",
        ),
        (PLAIN, [Connected(), Ended()], Reason.CLOSED, "closed before the greeting"),
        (
            PLAIN,
            [Connected(), BANNER, Ended()],
            Reason.CLOSED,
            "closed before the answer to EHLO",
        ),
        (
            PLAIN,
            [Connected(), Received(b"554 go away\r\n")],
            Reason.STATUS,
            "greeting is '554 go away', wanted 220",
        ),
        (
            PLAIN,
            [Connected(), Received(b"SSH-2.0-x\r\n")],
            Reason.MALFORMED,
            "greeting: no reply line: 'SSH-2.0-x\\r\\n'",
        ),
        (IMPLICIT, [Connected(), Unsecured(Reason.TLS, "why")], Reason.TLS, "why"),
        (IMPLICIT, [Connected(), DeadlineReached()], Reason.TIMEOUT, "no TLS handshake in time"),
        (
            IMPLICIT,
            [Connected(), Secured(86400.0, "TLSv1.3")],
            Reason.EXPIRY,
            "certificate expires in 1 day, wanted 2 days at least",
        ),
    ],
)
def test_each_way_to_fail_has_its_reason(
    spec: SmtpSpec, inputs: list[Input], reason: Reason, detail: str
) -> None:
    assert failure(spec, *inputs) == Failed(reason, detail, 0.25)


def test_a_reply_without_end_is_oversized() -> None:
    outcome = failure(PLAIN, Connected(), Received(b"220 " + b"x" * LINE_LIMIT))
    assert outcome.reason == Reason.OVERSIZED


def test_an_echo_socket_is_our_mistake() -> None:
    with pytest.raises(Unasked, match="PingOpened"):
        play(PLAIN, PingOpened(raw=False))


PIECES = st.sampled_from(
    [b"220 a\r\n", b"250-a\r\n", b"250 STARTTLS\r\n", b"250 AUTH LOGIN\r\n", b"334 \r\n",
     b"235 a\n", b"22", b"\r", b"\n", b"x" * 600]
)  # fmt: skip


@given(
    st.sampled_from([PLAIN, IMPLICIT, STARTTLS, LOGIN, BOTH]),
    st.lists(PIECES | st.binary(max_size=40)),
)
def test_any_bytes_in_any_pieces_lead_to_an_outcome_or_a_wait(
    spec: SmtpSpec, pieces: list[bytes]
) -> None:
    state, result = run(spec, *((PASSWORD,) if spec.user else ()), Connected())
    for piece in pieces:
        if result == (StartTls(TLS),):
            state, result = step(state, SECURED, 10.5)
        state, result = step(state, Received(piece), 10.5)
        if not isinstance(result, tuple):
            return
        assert len(state.pending) < LINE_LIMIT * LINES_LIMIT + 600
    _, last = step(state, DeadlineReached(), 11.0)
    assert isinstance(last, Failed | Passed)

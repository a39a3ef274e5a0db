import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.checks.ldap import SPARE, LdapSpec, LdapState, start, step
from libra_health.errands import FileRead, FileUnread, ReadFile
from libra_health.handshake import TlsSpec
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
from libra_health.protocols import ber
from libra_health.protocols import ldap_message as ldap
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
from libra_schemas.filters import parse

TARGET = Target("192.0.2.1", 389)
TLS = Tls("ldap.example")
SEARCH = ldap.search("dc=a", "sub", parse("(uid=a)"), 1)
PLAIN = LdapSpec()
SIMPLE = LdapSpec("cn=probe", "/etc/libra/ldap")
IMPLICIT = LdapSpec(tls=TlsSpec(TLS, 172800.0))
STARTTLS = LdapSpec(tls=TlsSpec(TLS), starttls=True)
SEARCHING = LdapSpec(search=SEARCH)
PASSWORD = FileRead(b"s3cret\n", 1.0)
SECURED = Secured(1e6, "TLSv1.3")
UNBIND = (Send(ldap.unbind(4)), *RECEIVE)
ANONYMOUS = (Send(ldap.bind(2, "", b"")), *RECEIVE)


def message(identity: int, operation: int, *contents: bytes) -> bytes:
    return ber.write(0x30, ber.write_number(identity), ber.write(operation, *contents))


def result(identity: int, operation: int, code: int = 0, text: bytes = b"") -> bytes:
    number = ber.write_number(code, ber.ENUMERATED)
    return message(identity, operation, number, ber.write(4), ber.write(4, text))


BOUND = result(2, ldap.BOUND)
READY = result(1, ldap.ANSWERED)
ENTRY = message(3, ldap.ENTRY, ber.write(4, b"uid=a,dc=a"), ber.write(0x30))
REFERENCE = message(3, ldap.REFERENCE, ber.write(4, b"ldap://b/"))
INTERMEDIATE = message(3, ldap.INTERMEDIATE)
DONE = result(3, ldap.DONE)


def run(spec: LdapSpec, *inputs: Input | bytes) -> tuple[LdapState, Effects | Outcome]:
    state, effects = start(TARGET, spec, 10.0)
    last: Effects | Outcome = effects
    for event in inputs:
        state, last = step(state, Received(event) if isinstance(event, bytes) else event, 10.25)
    return state, last


def play(spec: LdapSpec, *inputs: Input | bytes) -> Effects | Outcome:
    return run(spec, *inputs)[1]


def failure(spec: LdapSpec, *inputs: Input | bytes) -> Failed:
    outcome = play(spec, *inputs)
    assert isinstance(outcome, Failed)
    assert outcome.latency == 0.25
    return outcome


def test_a_directory_is_bound_to_and_taken_leave_of() -> None:
    assert play(PLAIN) == (Connect(TARGET, abort=False),)
    assert play(PLAIN, Connected()) == ANONYMOUS
    assert play(PLAIN, Connected(), BOUND) == UNBIND
    assert play(PLAIN, Connected(), BOUND, Ended()) == Passed(0.25)


@pytest.mark.parametrize(
    "end",
    [
        DeadlineReached(),
        Refused(errno.ECONNRESET, immediate=False),
        Unsecured(Reason.TLS, "closed"),
        Received(b"garbage"),
    ],
)
def test_once_all_was_answered_nothing_can_fail(end: Input) -> None:
    state, _ = run(PLAIN, Connected(), BOUND)
    assert step(state, end, 99.0)[1] == Passed(0.25)


def test_the_password_is_read_first() -> None:
    assert play(SIMPLE) == (ReadFile("/etc/libra/ldap"),)
    assert play(SIMPLE, PASSWORD) == (Connect(TARGET, abort=False),)
    bind = ldap.bind(2, "cn=probe", b"s3cret")
    assert play(SIMPLE, PASSWORD, Connected()) == (Send(bind, (b"s3cret",)), *RECEIVE)


def test_without_a_password_the_trouble_is_ours() -> None:
    lacking = Errored(Reason.LOCAL, "cannot read /etc/libra/ldap: ENOENT")
    assert play(SIMPLE, FileUnread(errno.ENOENT)) == lacking
    late = Errored(Reason.LOCAL, "/etc/libra/ldap could not be read in time")
    assert play(SIMPLE, DeadlineReached()) == late


def test_a_password_never_stands_in_the_evidence() -> None:
    said = (PASSWORD, Connected())
    outcome = failure(SIMPLE, *said, result(2, ldap.BOUND, 49, b"not s3cret"))
    assert outcome.detail == "answer to the bind: invalidCredentials (49): 'not ***'"
    assert "s3cret" not in repr(run(SIMPLE, *said)[0])


def test_tls_from_the_first_byte_on_comes_before_the_bind() -> None:
    assert play(IMPLICIT, Connected()) == (StartTls(TLS),)
    assert play(IMPLICIT, Connected(), SECURED) == ANONYMOUS


def test_tls_begins_by_an_operation_where_that_is_asked_for() -> None:
    assert play(STARTTLS, Connected()) == (Send(ldap.start_tls(1)), *RECEIVE)
    assert play(STARTTLS, Connected(), READY) == (StartTls(TLS),)
    assert play(STARTTLS, Connected(), READY, SECURED) == ANONYMOUS


def test_what_was_said_before_tls_is_not_believed_after_it() -> None:
    assert play(STARTTLS, Connected(), READY + BOUND, SECURED) == ANONYMOUS
    state, _ = run(STARTTLS, Connected(), READY + BOUND, SECURED)
    assert state.pending == b""


def test_a_search_passes_with_the_entries_asked_for() -> None:
    request = (Send(ldap.request_search(3, SEARCH)), *RECEIVE)
    assert play(SEARCHING, Connected(), BOUND) == request
    assert play(SEARCHING, Connected(), BOUND, ENTRY) == RECEIVE
    assert play(SEARCHING, Connected(), BOUND, ENTRY, DONE) == UNBIND
    assert play(SEARCHING, Connected(), BOUND, ENTRY + REFERENCE + INTERMEDIATE + DONE) == UNBIND


def test_an_answer_may_come_in_pieces() -> None:
    wire = ENTRY + DONE
    for cut in range(1, len(wire)):
        assert play(SEARCHING, Connected(), BOUND, wire[:cut]) == RECEIVE
        assert play(SEARCHING, Connected(), BOUND, wire[:cut], wire[cut:]) == UNBIND


def test_more_entries_than_were_asked_for_are_no_failure() -> None:
    more = result(3, ldap.DONE, ldap.SIZE_EXCEEDED)
    assert play(SEARCHING, Connected(), BOUND, ENTRY + more) == UNBIND
    outcome = failure(SEARCHING, Connected(), BOUND, more)
    assert outcome.detail == "the search: sizeLimitExceeded (4)"


@pytest.mark.parametrize(
    ("spec", "inputs", "reason", "detail"),
    [
        (PLAIN, [DeadlineReached()], Reason.TIMEOUT, "no connection in time"),
        (PLAIN, [Refused(errno.ECONNREFUSED, False)], Reason.REFUSED, "ECONNREFUSED"),
        (
            PLAIN,
            [Connected(), DeadlineReached()],
            Reason.TIMEOUT,
            "no answer to the bind in time",
        ),
        (PLAIN, [Connected(), Ended()], Reason.CLOSED, "closed before the answer to the bind"),
        (
            PLAIN,
            [Connected(), b"220 mx\r\n"],
            Reason.MALFORMED,
            "answer to the bind: no LDAP message: '220 mx\\r\\n'",
        ),
        (
            PLAIN,
            [Connected(), DONE],
            Reason.MALFORMED,
            "answer to the bind: a message to request 3",
        ),
        (
            PLAIN,
            [Connected(), result(2, ldap.DONE)],
            Reason.MALFORMED,
            "answer to the bind: an answer to something else",
        ),
        (
            PLAIN,
            [Connected(), message(2, ldap.ENTRY)],
            Reason.MALFORMED,
            "answer to the bind: an answer to something else",
        ),
        (
            SEARCHING,
            [Connected(), BOUND, result(3, ldap.BOUND)],
            Reason.MALFORMED,
            "end of the search: an answer to something else",
        ),
        (
            PLAIN,
            [Connected(), result(0, ldap.ANSWERED, 52, b"shutting down")],
            Reason.STATUS,
            "the server ends it: unavailable (52): 'shutting down'",
        ),
        (
            STARTTLS,
            [Connected(), result(1, ldap.ANSWERED, 2, b"unsupported")],
            Reason.STATUS,
            "answer to StartTLS: protocolError (2): 'unsupported'",
        ),
        (
            SEARCHING,
            [Connected(), BOUND, result(3, ldap.DONE, 32)],
            Reason.STATUS,
            "the search: noSuchObject (32)",
        ),
        (SEARCHING, [Connected(), BOUND, DONE], Reason.CONTENT, "0 entries found, wanted 1"),
        (
            SEARCHING,
            [Connected(), BOUND, REFERENCE * (SPARE + 2)],
            Reason.OVERSIZED,
            f"{SPARE + 2} messages",
        ),
        (
            PLAIN,
            [Connected(), b"\x30\x84\x01\x00\x00\x00"],
            Reason.OVERSIZED,
            "a message of 16777222 bytes",
        ),
        (IMPLICIT, [Connected(), Unsecured(Reason.TLS, "why")], Reason.TLS, "why"),
        (
            IMPLICIT,
            [Connected(), Secured(86400.0, "TLSv1.3")],
            Reason.EXPIRY,
            "certificate expires in 1 day, wanted 2 days at least",
        ),
    ],
)
def test_each_way_to_fail_has_its_reason(
    spec: LdapSpec, inputs: list[Input | bytes], reason: Reason, detail: str
) -> None:
    assert failure(spec, *inputs) == Failed(reason, detail, 0.25)


def test_an_echo_socket_is_our_mistake() -> None:
    with pytest.raises(Unasked, match="PingOpened"):
        play(PLAIN, PingOpened(raw=False))


PIECES = st.sampled_from([BOUND, READY, ENTRY, REFERENCE, DONE, BOUND[:5], b"\x30", b"\x30\x84"])


@given(
    st.sampled_from([PLAIN, IMPLICIT, STARTTLS, SIMPLE, SEARCHING]),
    st.lists(PIECES | st.binary(max_size=20)),
)
def test_any_bytes_in_any_pieces_lead_to_an_outcome_or_a_wait(
    spec: LdapSpec, pieces: list[bytes]
) -> None:
    state, last = run(spec, *((PASSWORD,) if spec.bind_dn else ()), Connected())
    for piece in pieces:
        if last == (StartTls(TLS),):
            state, last = step(state, SECURED, 10.5)
        state, last = step(state, Received(piece), 10.5)
        if not isinstance(last, tuple):
            return
        assert len(state.pending) < ldap.MESSAGE_LIMIT
    assert isinstance(step(state, DeadlineReached(), 11.0)[1], Failed | Passed)

import errno
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.checks.http import Ask, HttpSpec, start, step
from libra_health.errands import FileRead, FileUnread, ReadFile
from libra_health.handshake import TlsSpec
from libra_health.http.expectations import GOOD, Contains, Digest, Expectation, Matches, Statuses
from libra_health.http.request import Request, encode
from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason
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
    Search,
    Searched,
    Secured,
    Send,
    StartTls,
    Target,
    Tls,
    Unasked,
    Unsecured,
)

TARGET = Target("192.0.2.1", 80)
GET = Request("192.0.2.1")


def wanting(
    *body: Expectation, statuses: Statuses = GOOD, request: Request = GET, limit: int = 1000
) -> HttpSpec:
    return HttpSpec((Ask(request, statuses, body),), limit)


PLAIN = wanting()
HELD = 100_000
"""Bytes that a run may hold."""
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"


def play(spec: HttpSpec, *inputs: Input) -> Effects | Outcome:
    state, result = start(TARGET, spec, 10.0)
    last: Effects | Outcome = result
    for event in inputs:
        state, last = step(state, event, 10.25)
    return last


def heard(spec: HttpSpec, *parts: bytes) -> Effects | Outcome:
    return play(spec, Connected(), *map(Received, parts))


def test_a_check_connects_then_asks() -> None:
    assert play(PLAIN) == (Connect(TARGET, abort=False),)
    assert play(PLAIN, Connected()) == (Send(encode(GET)), *RECEIVE)


def test_a_good_status_passes_without_waiting_for_the_body() -> None:
    assert heard(PLAIN, OK[:9]) == RECEIVE
    assert heard(PLAIN, OK[:9], OK[9:]) == Passed(0.25)


def test_a_status_outside_the_set_fails_and_says_which() -> None:
    spec = wanting(statuses=((200, 200), (300, 399)))
    assert heard(spec, b"HTTP/1.1 302 Found\r\n\r\n") == Passed(0.25)
    outcome = heard(spec, b"HTTP/1.1 503 Oh\r\n\r\n")
    assert outcome == Failed(Reason.STATUS, "status 503, wanted 200, 300-399", 0.25)


DIGEST = hashlib.sha256(b"hello").hexdigest()


@pytest.mark.parametrize(
    ("body", "passes"),
    [
        pytest.param(Contains(b"ell"), True, id="contains"),
        pytest.param(Contains(b"Ell"), False, id="does not contain"),
        pytest.param(Matches("hello$"), True, id="matches"),
        pytest.param(Matches("^x"), False, id="does not match"),
        pytest.param(Digest("sha256", DIGEST), True, id="digest"),
        pytest.param(Digest("md5", DIGEST[:32]), False, id="other digest"),
    ],
)
def test_the_body_is_judged_once_it_is_there(
    body: Contains | Matches | Digest,
    passes: bool,
) -> None:
    spec = wanting(body)
    assert heard(spec, OK, b"he") == RECEIVE
    outcome = heard(spec, OK, b"he", b"llo")
    if passes:
        assert outcome == Passed(0.25)
    else:
        assert isinstance(outcome, Failed)
        assert outcome.reason is Reason.CONTENT
        assert "'hello'" in outcome.detail


def test_all_that_is_wanted_of_a_body_must_be_there() -> None:
    spec = wanting(Contains(b"he"), Matches("o$"), Contains(b"x"))
    outcome = heard(spec, OK, b"hello")
    assert outcome == Failed(Reason.CONTENT, "'x' not in body 'hello'", 0.25)


def test_a_body_until_close_is_judged_at_the_close() -> None:
    spec = wanting(Contains(b"hello"))
    inputs = (Connected(), Received(b"HTTP/1.0 200 OK\r\n\r\nhello"))
    assert play(spec, *inputs) == RECEIVE
    assert play(spec, *inputs, Ended()) == Passed(0.25)


def test_only_a_digest_minds_a_body_that_is_too_long() -> None:
    found = wanting(Contains(b"he"), limit=2)
    assert heard(found, OK, b"hello") == Passed(0.25)
    digest = wanting(Digest("sha256", DIGEST), limit=2)
    outcome = heard(digest, OK, b"hello")
    assert outcome == Failed(Reason.OVERSIZED, "body of more than 2 bytes (max_body)", 0.25)


WANTS_BODY = wanting(Contains(b"x"))


@pytest.mark.parametrize(
    ("spec", "inputs", "reason", "detail"),
    [
        pytest.param(PLAIN, [DeadlineReached()], Reason.TIMEOUT, "no connection", id="connect"),
        pytest.param(
            PLAIN, [Connected(), DeadlineReached()], Reason.TIMEOUT, "no answer", id="silent"
        ),
        pytest.param(
            PLAIN,
            [Connected(), Received(b"HTTP/1.1 2"), DeadlineReached()],
            Reason.TIMEOUT,
            "'HTTP/1.1 2'",
            id="stalled head",
        ),
        pytest.param(
            WANTS_BODY,
            [Connected(), Received(OK + b"ab"), DeadlineReached()],
            Reason.TIMEOUT,
            "2 bytes",
            id="stalled body",
        ),
        pytest.param(PLAIN, [Connected(), Ended()], Reason.CLOSED, "without", id="closed at once"),
        pytest.param(
            WANTS_BODY,
            [Connected(), Received(OK + b"ab"), Ended()],
            Reason.MALFORMED,
            "within the body",
            id="closed early",
        ),
        pytest.param(
            PLAIN, [Connected(), Received(b"SSH-2")], Reason.MALFORMED, "'SSH-2'", id="not http"
        ),
        pytest.param(
            PLAIN,
            [Connected(), Received(b"HTTP/1.1 200 OK\r\nX:" + b"y" * 40000)],
            Reason.OVERSIZED,
            "head",
            id="endless head",
        ),
        pytest.param(
            PLAIN,
            [Connected(), Refused(errno.ECONNRESET, immediate=False)],
            Reason.RESET,
            "ECONNRESET",
            id="reset",
        ),
    ],
)
def test_each_way_to_fail_has_its_reason(
    spec: HttpSpec, inputs: list[Input], reason: Reason, detail: str
) -> None:
    outcome = play(spec, *inputs)
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.latency) == (reason, 0.25)
    assert detail in outcome.detail


def test_an_echo_socket_is_our_mistake() -> None:
    with pytest.raises(Unasked, match="PingOpened"):
        play(PLAIN, PingOpened(raw=False))


SPECS = st.sampled_from(
    [
        PLAIN,
        WANTS_BODY,
        wanting(Matches("a")),
        wanting(request=Request("h", method="HEAD")),
        HttpSpec((Ask(GET), Ask(GET, ((404, 404),))), keeps=True, redirects=2),
    ]
)
PIECES = st.binary(max_size=30) | st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"Location: http://\xff\r\n",
    ]
)


@given(SPECS, st.lists(PIECES, max_size=10))
def test_any_bytes_lead_to_an_outcome_or_a_wait(spec: HttpSpec, parts: list[bytes]) -> None:
    result: Effects | Outcome
    state, result = start(TARGET, spec, 0.0)
    for part in [*parts, None, None, None, None]:
        if isinstance(result, tuple) and isinstance(result[0], Connect):
            state, result = step(state, Connected(), 0.1)
        if not isinstance(result, tuple):
            break
        assert result[-1:] == RECEIVE
        state, result = step(state, Ended() if part is None else Received(part), 0.2)
        assert len(state.reading.pending) + len(state.reading.body) <= HELD
    assert isinstance(result, Passed | Failed | Errored)


COSTLY = wanting(Contains(b"he"), Matches("(l+)+o"), Contains(b"lo"))


def test_a_costly_pattern_is_searched_for_elsewhere_and_the_rest_judged_after_it() -> None:
    asked = heard(COSTLY, OK, b"hello")
    assert asked == (Search("(l+)+o", b"hello"),)
    parts = (Connected(), Received(OK + b"hello"))
    assert play(COSTLY, *parts, Searched(found=True)) == Passed(0.25)
    missing = play(COSTLY, *parts, Searched(found=False))
    assert missing == Failed(Reason.CONTENT, "/(l+)+o/ not in body 'hello'", 0.25)


def test_a_pattern_that_took_too_long_counts_against_the_answer_it_was_tried_on() -> None:
    parts = (Connected(), Received(OK + b"hello"))
    tried = play(COSTLY, *parts, Searched(None))
    assert isinstance(tried, Failed)
    assert tried.reason is Reason.CONTENT
    assert isinstance(play(COSTLY, *parts, Searched(None, tried=False)), Errored)


AB = HttpSpec(
    (Ask(Request("h", "/a")), Ask(Request("h", "/b"), body=(Contains(b"b"),))), keeps=True
)
A = Send(encode(Request("h", "/a"), keeps=True))
B = Send(encode(Request("h", "/b")))
OPEN = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"


def test_several_requests_go_over_one_connection() -> None:
    assert play(AB, Connected()) == (A, *RECEIVE)
    assert heard(AB, OPEN) == RECEIVE
    assert heard(AB, OPEN, b"a") == (B, *RECEIVE)
    assert heard(AB, OPEN, b"a", OPEN + b"b") == Passed(0.25)


def test_the_one_that_failed_is_named() -> None:
    outcome = heard(AB, OPEN + b"a", OPEN + b"c")
    assert outcome == Failed(Reason.CONTENT, "GET /b: 'b' not in body 'c'", 0.25)
    assert heard(AB, b"HTTP/1.1 404 No\r\n\r\n") == Failed(
        Reason.STATUS, "GET /a: status 404, wanted 200-299", 0.25
    )


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", id="says close"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", id="an old server"),
        pytest.param(OPEN + b"a?", id="more than was asked"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"a" * 1000, id="too much"
        ),
    ],
)
def test_a_connection_that_cannot_be_kept_is_opened_anew(answer: bytes) -> None:
    spec = HttpSpec(AB.asks, 1000, keeps=True)
    assert heard(spec, answer) == (Connect(TARGET, abort=False),)
    assert play(spec, Connected(), Received(answer), Connected()) == (B, *RECEIVE)


@pytest.mark.parametrize(
    "end",
    [Ended(), Refused(errno.ECONNRESET, immediate=False), Refused(errno.EPIPE, immediate=False)],
)
def test_a_kept_connection_that_the_backend_closes_is_opened_anew_once(end: Input) -> None:
    inputs = (Connected(), Received(OPEN + b"a"), end)
    assert play(AB, *inputs) == (Connect(TARGET, abort=False),)
    assert play(AB, *inputs, Connected()) == (B, *RECEIVE)
    assert isinstance(play(AB, *inputs, Connected(), end), Failed)


def test_what_must_not_be_asked_twice_is_asked_over_a_new_connection() -> None:
    spec = HttpSpec((Ask(GET), Ask(Request("h", method="POST", body=b"x"))), keeps=True)
    assert heard(spec, OPEN + b"a") == (Connect(TARGET, abort=False),)


def test_without_keeping_each_request_has_a_connection() -> None:
    spec = HttpSpec((Ask(GET), Ask(GET)))
    assert heard(spec, OPEN) == (Connect(TARGET, abort=False),)


MOVED = b"HTTP/1.1 301 Moved\r\nLocation: /login\r\n\r\n"


def test_a_redirect_is_named_and_not_followed() -> None:
    outcome = heard(PLAIN, MOVED)
    wanted = "status 301, wanted 200-299, redirected to '/login'"
    assert outcome == Failed(Reason.STATUS, wanted, 0.25)
    assert heard(wanting(statuses=((301, 301),)), MOVED) == Passed(0.25)


def test_a_redirect_is_followed_as_often_as_is_wanted() -> None:
    spec = HttpSpec((Ask(GET),), redirects=1)
    inputs = (Connected(), Received(MOVED), Connected())
    assert play(spec, *inputs[:2]) == (Connect(TARGET, abort=False),)
    assert play(spec, *inputs) == (Send(encode(Request("192.0.2.1", "/login"))), *RECEIVE)
    assert play(spec, *inputs, Received(OK)) == Passed(0.25)
    again = play(spec, *inputs, Received(MOVED))
    assert isinstance(again, Failed)
    assert again.detail == (
        "GET /login: status 301, wanted 200-299, redirected to '/login', which is one more than 1"
    )


def test_a_redirect_elsewhere_is_not_followed() -> None:
    spec = HttpSpec((Ask(GET),), redirects=1)
    outcome = heard(spec, b"HTTP/1.1 302 Found\r\nLocation: https://192.0.2.1/\r\n\r\n")
    assert isinstance(outcome, Failed)
    assert outcome.detail.endswith("redirected to 'https://192.0.2.1/': another scheme")


def test_a_failure_that_is_no_redirect_is_a_failure() -> None:
    spec = HttpSpec((Ask(GET),), redirects=1)
    outcome = heard(spec, b"HTTP/1.1 302 Found\r\n\r\n")
    assert outcome == Failed(Reason.STATUS, "status 302, wanted 200-299", 0.25)


SECRET = HttpSpec((Ask(GET, body=(Contains(b"x"),)),), secrets=(("A", "/a"), ("B", "/b")))
FILES = (FileRead(b"one\n", 1.0), FileRead(b"two\r\n", 1.0))


def test_secret_headers_are_read_before_anything_is_asked() -> None:
    assert play(SECRET) == (ReadFile("/a", 8192),)
    assert play(SECRET, FILES[0]) == (ReadFile("/b", 8192),)
    assert play(SECRET, *FILES) == (Connect(TARGET, abort=False),)
    asked = encode(GET, secrets=(("A", b"one"), ("B", b"two")))
    assert b"A: one\r\nB: two\r\n\r\n" in asked
    told = Send(asked, secrets=(b"one", b"two"))
    assert play(SECRET, *FILES, Connected()) == (told, *RECEIVE)


def test_a_secret_that_comes_back_is_not_shown() -> None:
    outcome = play(SECRET, *FILES, Connected(), Received(OK + b"atwob"))
    assert outcome == Failed(Reason.CONTENT, "'x' not in body 'a***b'", 0.25)


@pytest.mark.parametrize(
    ("event", "detail"),
    [
        pytest.param(FileUnread(errno.ENOENT), "A: /a cannot be read: ENOENT", id="missing"),
        pytest.param(FileRead(b"\n", 1.0), "A: /a is empty", id="empty"),
        pytest.param(FileRead(b"a\nb", 1.0), "A: /a holds more than one line", id="lines"),
        pytest.param(FileRead(b"a" * 8192, 1.0), "A: /a is too long", id="long"),
    ],
)
def test_a_file_that_holds_no_header_is_our_trouble(event: Input, detail: str) -> None:
    assert play(SECRET, event) == Errored(Reason.LOCAL, detail)


TLS = Tls("www.example.net")
SAFE = HttpSpec((Ask(GET),), tls=TlsSpec(TLS, 86400.0))
GOOD_DAY = Secured(2 * 86400.0, "TLSv1.3")


def test_over_tls_nothing_is_asked_before_the_handshake() -> None:
    assert play(SAFE, Connected()) == (StartTls(TLS),)
    assert play(SAFE, Connected(), GOOD_DAY) == (Send(encode(GET)), *RECEIVE)
    assert play(SAFE, Connected(), GOOD_DAY, Received(OK)) == Passed(0.25)


@pytest.mark.parametrize(
    ("event", "reason", "detail"),
    [
        pytest.param(Unsecured(Reason.TLS, "no"), Reason.TLS, "no", id="no handshake"),
        pytest.param(Secured(3600.0, "x"), Reason.EXPIRY, "certificate expires", id="expiry"),
        pytest.param(Ended(), Reason.CLOSED, "within the TLS handshake", id="closed"),
        pytest.param(DeadlineReached(), Reason.TIMEOUT, "handshake not done", id="late"),
    ],
)
def test_a_handshake_that_fails_has_its_reason(event: Input, reason: Reason, detail: str) -> None:
    outcome = play(SAFE, Connected(), event)
    assert isinstance(outcome, Failed)
    assert outcome.reason is reason
    assert detail in outcome.detail


def test_a_file_of_tls_that_is_wrong_is_our_trouble() -> None:
    wrong = Unsecured(Reason.LOCAL, "no such file")
    assert play(SAFE, Connected(), wrong) == Errored(Reason.LOCAL, "no such file")


def test_what_tls_says_is_not_heard_in_the_clear() -> None:
    with pytest.raises(Unasked, match="Secured"):
        play(PLAIN, Connected(), GOOD_DAY)


def test_files_that_are_not_read_in_time_are_told() -> None:
    outcome = play(SECRET, DeadlineReached())
    assert outcome == Errored(Reason.LOCAL, "secret files not read in time")

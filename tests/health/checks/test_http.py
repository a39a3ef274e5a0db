import errno
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.checks.http import Contains, Digest, HttpSpec, Matches, request, start, step
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
    Send,
    Target,
    Unasked,
)

TARGET = Target("192.0.2.1", 80)
GET = request("192.0.2.1:80")
PLAIN = HttpSpec(GET)
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
    assert play(PLAIN, Connected()) == (Send(GET), *RECEIVE)


def test_a_request_is_written_as_the_rfc_has_it() -> None:
    headers = {"Host": "www.example.net", "X-Probe": "1"}
    assert request("192.0.2.1", "/healthz?x=1", "HEAD", headers) == (
        b"HEAD /healthz?x=1 HTTP/1.1\r\nHost: www.example.net\r\nUser-Agent: LibrA-health\r\n"
        b"X-Probe: 1\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(("h", "/a b"), id="blank in path"),
        pytest.param(("h\r\nX: y",), id="line break in host"),
        pytest.param(("h", "/", "GET\r\n"), id="line break in method"),
        pytest.param(("h", "/", "GET", {"X:": "y"}), id="colon in name"),
        pytest.param(("h", "/", "GET", {"X": "y\r\nZ: z"}), id="line break in value"),
    ],
)
def test_nothing_breaks_out_of_a_request(parts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"must be|control"):
        request(*parts)  # type: ignore[arg-type]  # rows of different length


def test_a_good_status_passes_without_waiting_for_the_body() -> None:
    assert heard(PLAIN, OK[:9]) == RECEIVE
    assert heard(PLAIN, OK[:9], OK[9:]) == Passed(0.25)


def test_a_status_outside_the_set_fails_and_says_which() -> None:
    spec = HttpSpec(GET, statuses=((200, 200), (300, 399)))
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
    spec = HttpSpec(GET, body=(body,))
    assert heard(spec, OK, b"he") == RECEIVE
    outcome = heard(spec, OK, b"he", b"llo")
    if passes:
        assert outcome == Passed(0.25)
    else:
        assert isinstance(outcome, Failed)
        assert outcome.reason is Reason.CONTENT
        assert "'hello'" in outcome.detail


def test_all_that_is_wanted_of_a_body_must_be_there() -> None:
    spec = HttpSpec(GET, body=(Contains(b"he"), Matches("o$"), Contains(b"x")))
    outcome = heard(spec, OK, b"hello")
    assert outcome == Failed(Reason.CONTENT, "'x' not in body 'hello'", 0.25)


def test_a_body_until_close_is_judged_at_the_close() -> None:
    spec = HttpSpec(GET, body=(Contains(b"hello"),))
    inputs = (Connected(), Received(b"HTTP/1.0 200 OK\r\n\r\nhello"))
    assert play(spec, *inputs) == RECEIVE
    assert play(spec, *inputs, Ended()) == Passed(0.25)


def test_only_a_digest_minds_a_body_that_is_too_long() -> None:
    found = HttpSpec(GET, body=(Contains(b"he"),), body_limit=2)
    assert heard(found, OK, b"hello") == Passed(0.25)
    digest = HttpSpec(GET, body=(Digest("sha256", DIGEST),), body_limit=2)
    outcome = heard(digest, OK, b"hello")
    assert outcome == Failed(Reason.OVERSIZED, "body of more than 2 bytes", 0.25)


WANTS_BODY = HttpSpec(GET, body=(Contains(b"x"),))


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
    [PLAIN, WANTS_BODY, HttpSpec(GET, body=(Matches("a"),)), HttpSpec(GET, True)]
)
PIECES = st.binary(max_size=30) | st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n",
    ]
)


@given(SPECS, st.lists(PIECES, max_size=10))
def test_any_bytes_lead_to_an_outcome(spec: HttpSpec, parts: list[bytes]) -> None:
    state, _ = start(TARGET, spec, 0.0)
    state, result = step(state, Connected(), 0.1)
    for part in parts:
        state, result = step(state, Received(part), 0.2)
        if not isinstance(result, tuple):
            break
    else:
        state, result = step(state, Ended(), 0.3)
    assert isinstance(result, Passed | Failed | Errored)


COSTLY = HttpSpec(GET, body=(Contains(b"he"), Matches("(l+)+o"), Contains(b"lo")))


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

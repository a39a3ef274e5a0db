import errno
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.health.http2_server import GRPC, PING, SERVING, SETTINGS, Fields, Server, frame

from libra_health.checks.grpc import GrpcSpec, GrpcState, start, step
from libra_health.handshake import TlsSpec
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
    Secured,
    Send,
    StartTls,
    Target,
    Tls,
    Unasked,
    Unsecured,
)

TARGET = Target("192.0.2.1", 50051)
PLAIN = GrpcSpec("192.0.2.1:50051")
NAMED = GrpcSpec("a.example", "mail.Mailbox")
TLS = Tls("a.example", alpn=("h2",))
OVER_TLS = GrpcSpec("a.example", tls=TlsSpec(TLS, 172800.0))
SECURED = Secured(1e6, "TLSv1.3", "h2")


def run(spec: GrpcSpec, *inputs: Input | bytes) -> tuple[GrpcState, Effects | Outcome]:
    state, effects = start(TARGET, spec, 10.0)
    last: Effects | Outcome = effects
    for event in inputs:
        state, last = step(state, Received(event) if isinstance(event, bytes) else event, 10.25)
    return state, last


def play(spec: GrpcSpec, *inputs: Input | bytes) -> Effects | Outcome:
    return run(spec, *inputs)[1]


def sent(effects: Effects | Outcome) -> bytes:
    assert isinstance(effects, tuple)
    assert isinstance(effects[0], Send)
    assert effects[1:] == RECEIVE
    return effects[0].data


def told(*answer: Any, spec: GrpcSpec = PLAIN) -> tuple[GrpcState, Effects | Outcome]:
    """Let a server answer: head, body, trailers."""
    state, last = run(spec, Connected())
    return step(state, Received(Server(sent(last)).answer(*answer)), 10.25)


def failure(*answer: Fields | bytes, spec: GrpcSpec = PLAIN) -> Failed:
    outcome = told(*answer, spec=spec)[1]
    assert isinstance(outcome, Failed), outcome
    assert outcome.latency == 0.25
    return outcome


def test_a_server_is_asked_as_soon_as_it_is_connected_to() -> None:
    assert play(PLAIN) == (Connect(TARGET, abort=False),)
    request = Server(sent(play(NAMED, Connected()))).heard
    assert [getattr(each, "headers", None) for each in request if hasattr(each, "headers")] == [
        [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/grpc.health.v1.Health/Check"),
            (":authority", "a.example"),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
            ("user-agent", "LibrA-health"),
        ]
    ]
    body = b"\0\0\0\0\x0e\x0a\x0cmail.Mailbox"
    assert [each.data for each in request if hasattr(each, "data")] == [body]


def test_who_serves_passes_once_it_was_parted_from() -> None:
    state, last = told()
    assert sent(last).endswith(frame(7, bytes(8)))
    assert step(state, Received(b"pong"), 11.0)[1] == Passed(0.25)


@pytest.mark.parametrize(
    "end",
    [
        DeadlineReached(),
        Ended(),
        Refused(errno.ECONNRESET, immediate=False),
        Unsecured(Reason.TLS, "closed"),
        Received(b"garbage"),
    ],
)
def test_once_all_was_answered_nothing_can_fail(end: Input) -> None:
    state, _ = told()
    assert step(state, end, 99.0)[1] == Passed(0.25)


def test_an_answer_in_pieces_is_waited_for_and_pings_are_answered() -> None:
    state, last = run(PLAIN, Connected())
    wire = Server(sent(last)).answer()
    assert sent(step(state, Received(SETTINGS + PING), 10.1)[1]).endswith(b"a server")
    for byte in wire[:-1]:
        last = step(state, Received(bytes((byte,))), 10.2)[1]
        assert isinstance(last, tuple)
        assert last[-1:] == RECEIVE
    assert sent(step(state, Received(wire[-1:]), 10.2)[1])


def test_tls_comes_first_and_must_choose_http2() -> None:
    assert play(OVER_TLS, Connected()) == (StartTls(TLS),)
    request = Server(sent(play(OVER_TLS, Connected(), SECURED))).heard
    assert any((":scheme", "https") in getattr(each, "headers", ()) for each in request)
    assert play(OVER_TLS, Connected(), Secured(1e6, "TLSv1.3")) == Failed(
        Reason.TLS, "ALPN: chose no protocol, wanted h2", 0.25
    )
    assert play(OVER_TLS, Connected(), Secured(86400.0, "TLSv1.3", "h2")) == Failed(
        Reason.EXPIRY, "certificate expires in 1 day, wanted 2 days at least", 0.25
    )
    assert play(OVER_TLS, Connected(), Unsecured(Reason.LOCAL, "no key")) == Errored(
        Reason.LOCAL, "no key"
    )


PAGE = b"<html>" * 999


def status(code: str, message: str = "") -> Fields:
    return (("grpc-status", code), *((("grpc-message", message),) if message else ()))


@pytest.mark.parametrize(
    ("answer", "reason", "detail"),
    [
        pytest.param(
            (GRPC, b"\0\0\0\0\x02\x08\x02"), Reason.STATUS,
            "the server is NOT_SERVING, wanted SERVING", id="not serving",
        ),
        pytest.param(
            (GRPC, bytes(5)), Reason.STATUS, "the server is UNKNOWN, wanted SERVING", id="unknown",
        ),
        pytest.param(
            (GRPC, b"\0\0\0\0\x02\x08\x03"), Reason.STATUS,
            "the server is SERVICE_UNKNOWN, wanted SERVING", id="service unknown",
        ),
        pytest.param(
            (GRPC, SERVING, status("5", "unknown service")), Reason.STATUS,
            "grpc-status 5 NOT_FOUND: 'unknown service'", id="in the trailers",
        ),
        pytest.param(
            ((*GRPC, *status("5", "100%25%0A")), b"", ()), Reason.STATUS,
            "grpc-status 5 NOT_FOUND: '100%\\n'", id="in the head alone",
        ),
        pytest.param(
            ((*GRPC, *status("12")), b"", ()), Reason.STATUS,
            "grpc-status 12 UNIMPLEMENTED: the server has no health service", id="no health",
        ),
        pytest.param(
            (((":status", "503"), *status("14")), b"", ()), Reason.STATUS,
            "grpc-status 14 UNAVAILABLE", id="a proxy that speaks gRPC",
        ),
        pytest.param(
            (GRPC, SERVING, status("99")), Reason.STATUS, "grpc-status 99", id="no such status",
        ),
        pytest.param(
            (GRPC, SERVING, status("-1")), Reason.MALFORMED, "grpc-status '-1'", id="no number",
        ),
        pytest.param(
            (GRPC, SERVING, status("1" * 10)), Reason.MALFORMED, "grpc-status '1111111111'",
            id="no such number",
        ),
        pytest.param((GRPC, SERVING, ()), Reason.MALFORMED, "no grpc-status", id="no trailers"),
        pytest.param((GRPC, b""), Reason.MALFORMED, "no message: ''", id="no message"),
        pytest.param(
            (GRPC, SERVING + b"x"), Reason.MALFORMED,
            "not one whole message: '\\x00\\x00\\x00\\x00\\x02\\x08\\x01x'", id="too long",
        ),
        pytest.param(
            (((":status", "404"), ("content-type", "text/html")), PAGE, ()), Reason.STATUS,
            "HTTP status 404, and no grpc-status", id="a web server",
        ),
        pytest.param(
            (((":status", "200"), ("content-type", "text/html")), PAGE, ()), Reason.MALFORMED,
            "content-type 'text/html', which is not gRPC", id="a page",
        ),
        pytest.param(
            (GRPC, b"x" * 5000), Reason.OVERSIZED, "a body of more than 4096 bytes", id="much",
        ),
    ],
)  # fmt: skip
def test_each_answer_but_serving_fails(
    answer: tuple[Fields | bytes, ...], reason: Reason, detail: str
) -> None:
    assert failure(*answer) == Failed(reason, detail, 0.25)


def test_a_service_that_does_not_serve_is_named() -> None:
    detail = failure(GRPC, b"\0\0\0\0\x02\x08\x02", spec=NAMED).detail
    assert detail == "service mail.Mailbox is NOT_SERVING, wanted SERVING"


def test_a_stranger_is_known_by_its_head() -> None:
    state, last = run(PLAIN, Connected())
    server = Server(sent(last))
    server.connection.send_headers(1, ((":status", "302"),))
    outcome = step(state, Received(server.connection.data_to_send()), 10.25)[1]
    assert outcome == Failed(Reason.STATUS, "HTTP status 302, and no grpc-status", 0.25)


@pytest.mark.parametrize(
    ("inputs", "reason", "detail"),
    [
        ([DeadlineReached()], Reason.TIMEOUT, "no connection in time"),
        ([Refused(errno.ECONNREFUSED, False)], Reason.REFUSED, "ECONNREFUSED"),
        ([Connected(), DeadlineReached()], Reason.TIMEOUT, "no answer in time"),
        ([Connected(), Ended()], Reason.CLOSED, "closed before the answer"),
        ([Connected(), b"220 mx\r\n."], Reason.MALFORMED, "no HTTP/2: '220 mx\\r\\n.'"),
    ],
)
def test_each_end_has_its_reason(inputs: list[Input | bytes], reason: Reason, detail: str) -> None:
    assert play(PLAIN, *inputs) == Failed(reason, detail, 0.25)


def test_what_was_not_asked_for_is_our_mistake() -> None:
    for event in (PingOpened(raw=False), Received(b"early")):
        with pytest.raises(Unasked, match=type(event).__name__):
            play(PLAIN, event)
    with pytest.raises(Unasked, match="Secured"):
        play(PLAIN, Connected(), SECURED)


ANSWER = Server(sent(play(PLAIN, Connected()))).answer()
PIECES = st.binary(max_size=30) | st.sampled_from(
    [SETTINGS, PING, ANSWER, ANSWER[:-9], frame(7, bytes(8)), frame(3, bytes(4), stream=1)]
)


@given(st.sampled_from([PLAIN, OVER_TLS, NAMED]), st.lists(PIECES))
def test_any_bytes_in_any_pieces_lead_to_an_outcome_or_a_wait(
    spec: GrpcSpec, pieces: list[bytes]
) -> None:
    state, last = run(spec, Connected(), *((SECURED,) if spec.tls is not None else ()))
    for piece in pieces:
        state, last = step(state, Received(piece), 10.5)
        if not isinstance(last, tuple):
            return
        assert last[-1:] == RECEIVE
    assert isinstance(step(state, DeadlineReached(), 11.0)[1], Failed | Passed)

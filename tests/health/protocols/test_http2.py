from typing import Any

import pytest
from h2 import events
from hypothesis import given
from hypothesis import strategies as st
from tests.health.http2_server import (
    GRPC,
    PING,
    SERVING,
    SETTINGS,
    WELL,
    Server,
    frame,
    goaway,
)

from libra_health.outcome import Failed, Reason
from libra_health.protocols.http2 import FRAME_LIMIT, FRAMES, TOTAL, Exchange

FIELDS = ((":method", "POST"), (":scheme", "http"), (":path", "/a"), (":authority", "h"))


def asked(limit: int = 100) -> tuple[Exchange, Server]:
    exchange = Exchange(limit)
    return exchange, Server(exchange.ask(FIELDS, b"body"))


def failure(*pieces: bytes) -> Failed:
    exchange, _ = asked()
    for piece in pieces:
        exchange.hear(piece)
    assert exchange.failure is not None
    assert exchange.is_over
    return exchange.failure


def test_a_request_goes_out_whole_and_asks_for_no_pushes() -> None:
    _, server = asked()
    kinds: dict[type, Any] = {type(event): event for event in server.heard}
    assert kinds[events.RequestReceived].headers == list(FIELDS)
    assert kinds[events.DataReceived].data == b"body"
    assert events.StreamEnded in kinds
    assert server.connection.remote_settings.enable_push == 0


def test_an_answer_is_taken_in_any_pieces() -> None:
    for size in (1, 2, 3, 10, 1000):
        exchange, server = asked()
        wire = server.answer()
        for at in range(0, len(wire), size):
            assert not exchange.is_over
            exchange.hear(wire[at : at + size])
        assert exchange.is_whole
        assert exchange.failure is None
        assert exchange.head == {name.encode(): value.encode() for name, value in GRPC}
        assert exchange.trailers == {b"grpc-status": b"0"}
        assert exchange.body == SERVING


def test_settings_and_pings_are_answered() -> None:
    exchange, _ = asked()
    exchange.hear(SETTINGS + PING)
    pong = frame(6, b"a server", flags=1)
    assert exchange.unsent == frame(4, b"", flags=1) + pong
    assert exchange.unsent == b""


def test_who_parts_says_so_and_asks_to_be_heard() -> None:
    exchange, server = asked()
    exchange.hear(server.answer())
    farewell = exchange.farewell()
    assert farewell == frame(4, b"", flags=1) + frame(6, b"farewell") + goaway(0)
    heard = server.connection.receive_data(farewell)
    assert isinstance(heard[-1], events.ConnectionTerminated)


def test_what_follows_the_end_is_not_looked_at() -> None:
    exchange, server = asked()
    exchange.hear(server.answer() + b"\xff" * 50)
    assert exchange.is_whole
    assert exchange.failure is None


def test_a_server_that_takes_no_further_requests_still_answers_ours() -> None:
    exchange, server = asked()
    exchange.hear(SETTINGS + goaway(0x7FFFFFFF) + goaway(1) + server.answer())
    assert exchange.is_whole
    assert exchange.failure is None


@pytest.mark.parametrize(
    ("wire", "reason", "detail"),
    [
        (b"HTTP/1.1 400 x", Reason.MALFORMED, "no HTTP/2: 'HTTP/1.1 400 x'"),
        (PING, Reason.MALFORMED, "no HTTP/2: '\\x00\\x00\\x08\\x06"),
        (SETTINGS + b"\xff" * 9, Reason.OVERSIZED, "a frame of 16777215 bytes"),
        (SETTINGS + PING * FRAMES, Reason.OVERSIZED, f"no whole answer in {FRAMES} frames"),
        (
            SETTINGS + frame(99, bytes(FRAME_LIMIT)) * 2,
            Reason.OVERSIZED,
            f"no whole answer in {TOTAL} bytes",
        ),
        (SETTINGS + frame(4, b"\0"), Reason.MALFORMED, "HTTP/2: "),
        (SETTINGS + frame(1, b"\xff", flags=4, stream=1), Reason.MALFORMED, "HTTP/2: "),
        (SETTINGS + frame(0, b"x", stream=1), Reason.MALFORMED, "HTTP/2: ProtocolError: "),
        (SETTINGS + frame(7, b""), Reason.MALFORMED, "HTTP/2: "),
        (
            SETTINGS + frame(3, b"\0\0\0\7", stream=1),
            Reason.RESET,
            "the server reset the request: REFUSED_STREAM",
        ),
        (
            SETTINGS + goaway(0, 11, b"calm\n"),
            Reason.CLOSED,
            "the server ends it (GOAWAY): ENHANCE_YOUR_CALM: 'calm\\n'",
        ),
        (SETTINGS + goaway(1, 999), Reason.CLOSED, "the server ends it (GOAWAY): error 999"),
        (SETTINGS + goaway(0), Reason.CLOSED, "the server ends it (GOAWAY): NO_ERROR"),
    ],
)
def test_each_way_to_fail_has_its_reason(wire: bytes, reason: Reason, detail: str) -> None:
    found = failure(wire)
    assert found.reason is reason
    assert found.detail.startswith(detail)
    assert failure(*(wire[at : at + 1] for at in range(len(wire)))).reason is reason


def test_a_long_body_is_not_kept() -> None:
    exchange, server = asked(limit=10)
    exchange.hear(server.answer(body=b"x" * 11))
    assert exchange.failure == Failed(Reason.OVERSIZED, "a body of more than 10 bytes")


def test_a_head_that_unpacks_to_a_bomb_is_refused() -> None:
    """One long field in the table, referred to by one byte each (RFC 7541 section 7.3)."""
    exchange, server = asked()
    bomb = tuple(("a", "x" * 3000) for _ in range(20))
    exchange.hear(server.answer((*GRPC, *bomb), b"", ()))
    assert exchange.failure is not None
    assert exchange.failure.reason is Reason.MALFORMED


def test_informational_answers_come_before_the_answer() -> None:
    exchange, server = asked()
    server.connection.send_headers(1, ((":status", "103"),))
    exchange.hear(server.answer(end=(*WELL, ("grpc-message", "x"))))
    assert exchange.is_whole
    assert exchange.head[b":status"] == b"200"


FRAMES_OF_ANY_KIND = st.builds(
    lambda kind, payload, flags, stream: frame(kind, payload, flags=flags, stream=stream),
    st.integers(0, 12),
    st.binary(max_size=40),
    st.integers(0, 255),
    st.sampled_from([0, 1, 2, 3, 0x7FFFFFFF]),
)


@given(
    st.booleans(),
    st.lists(
        st.binary(max_size=20)
        | FRAMES_OF_ANY_KIND
        | st.sampled_from([SETTINGS, PING, asked()[1].answer(), goaway(1), goaway(0)])
    ),
)
def test_any_bytes_in_any_pieces_are_borne(is_settled: bool, pieces: list[bytes]) -> None:
    exchange, _ = asked()
    exchange.hear(SETTINGS if is_settled else b"")
    for piece in pieces:
        if exchange.is_over:
            break
        exchange.hear(piece)
        assert len(exchange._pending) <= 9 + FRAME_LIMIT
        assert len(exchange.unsent) <= 17 * FRAMES
    if exchange.is_whole and exchange.failure is None:
        assert exchange.farewell()

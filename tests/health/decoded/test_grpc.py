import pytest
from hpack import Encoder
from hyperframe import frame as frames
from hyperframe.frame import Frame
from hypothesis import given
from hypothesis import strategies as st

from libra_health.decoded.flow import Flow, Take, Unreadable, Way
from libra_health.decoded.grpc import taking
from libra_health.outcome import excerpt
from libra_health.protocols import grpc_message as grpc
from libra_health.protocols.http2 import Exchange

SETTINGS = frames.SettingsFrame(0, {4: 7, 99: 1}).serialize()
STATUS = b"\0\0\0\0\2\x08\x01"


def server() -> Take:
    """Begin with a server that has said its settings."""
    take = taking(Way(is_sent=False))
    take(SETTINGS, excerpt)
    return take


def words(take: Take, data: bytes) -> str:
    found = take(data + b"more", excerpt)
    assert found is not None
    assert found[1] == len(data)
    return found[0]


def test_a_request_is_told_frame_by_frame() -> None:
    fields = ((":method", "POST"), (":path", grpc.PATH), (":authority", "a"), (":scheme", "http"))
    data = Exchange(99).ask(fields, grpc.request("mail"))
    _, (preface, settings, head, body) = Flow(taking(Way(is_sent=True)), is_stream=True).read(
        data, excerpt, 9
    )
    assert preface == "HTTP/2 preface"
    assert isinstance(settings, str)
    assert settings.startswith("SETTINGS: HEADER_TABLE_SIZE 4096, ENABLE_PUSH 0")
    assert head == (
        "HEADERS stream 1: :method POST, :path /grpc.health.v1.Health/Check, :authority a, "
        ":scheme http"
    )
    assert body == "DATA stream 1, the last: is mail serving?"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (grpc.request(""), ": is the server serving?"),
        (b"x", ": 'x'"),
        (b"", ""),
    ],
)
def test_what_is_asked_is_told(body: bytes, told: str) -> None:
    take = taking(Way(is_sent=True))
    take(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", excerpt)
    take(SETTINGS, excerpt)
    assert words(take, frames.DataFrame(1, body).serialize()) == f"DATA stream 1{told}"


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (frames.SettingsFrame(0, {4: 7, 99: 1}), "SETTINGS: INITIAL_WINDOW_SIZE 7, setting 99 1"),
        (frames.SettingsFrame(0, flags=("ACK",)), "SETTINGS: ack"),
        (frames.DataFrame(1, STATUS), "DATA stream 1: SERVING"),
        (frames.DataFrame(1, b"\x1b"), r"DATA stream 1: '\x1b'"),
        (frames.PingFrame(0, b"farewell"), "PING: 'farewell'"),
        (frames.PingFrame(0, b"farewell", flags=("ACK",)), "PING: ack 'farewell'"),
        (frames.RstStreamFrame(1, 7), "RST_STREAM stream 1: REFUSED_STREAM"),
        (frames.GoAwayFrame(0, 1, 99, b"why"), "GOAWAY: error 99, last stream 1 'why'"),
        (frames.GoAwayFrame(0, 1, 0), "GOAWAY: NO_ERROR, last stream 1"),
        (frames.WindowUpdateFrame(0, 5), "WINDOW_UPDATE: +5"),
        (frames.PriorityFrame(1), "PRIORITY stream 1"),
        (frames.ExtensionFrame(42, 0, 0, b""), "unknown frame"),
    ],
)
def test_a_frame_is_told_by_its_name(frame: Frame, told: str) -> None:
    assert words(server(), frame.serialize()) == told


def test_fields_are_shown_once_their_block_is_whole_and_read_in_order() -> None:
    encoder, take = Encoder(), server()
    block = encoder.encode([(b"x-a", b"b\x1b"), (b"x-c", b"")])
    first = frames.HeadersFrame(1, block[:3]).serialize()
    second = frames.ContinuationFrame(1, block[3:], flags=("END_HEADERS",)).serialize()
    assert words(take, first) == "HEADERS stream 1: to be continued"
    assert words(take, second) == r"CONTINUATION stream 1: x-a b\x1b, x-c"
    again = encoder.encode([(b"x-a", b"b\x1b")])
    last = frames.HeadersFrame(1, again, flags=("END_HEADERS", "END_STREAM")).serialize()
    assert words(take, last) == r"HEADERS stream 1, the last: x-a b\x1b"


def test_a_frame_is_waited_for() -> None:
    take = taking(Way(is_sent=False))
    assert {take(SETTINGS[:end], excerpt) for end in range(1, len(SETTINGS))} == {None}


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        frames.PingFrame(0).serialize(),
        b"\x00\x40\x01\x04\x00\x00\x00\x00\x00",
    ],
)
def test_what_does_not_begin_as_a_server_does_is_none(data: bytes) -> None:
    with pytest.raises(Unreadable):
        taking(Way(is_sent=False))(data, excerpt)


def test_what_does_not_begin_as_a_client_does_is_none() -> None:
    with pytest.raises(Unreadable):
        taking(Way(is_sent=True))(SETTINGS, excerpt)


def test_fields_that_cannot_be_read_are_none() -> None:
    with pytest.raises(Unreadable):
        server()(frames.HeadersFrame(1, b"\xff\xff", flags=("END_HEADERS",)).serialize(), excerpt)


def test_fields_without_end_are_none() -> None:
    take = server()
    endless = frames.HeadersFrame(1, bytes(16384)).serialize()
    for _ in range(4):
        take(endless, excerpt)
    with pytest.raises(Unreadable):
        take(endless, excerpt)


FRAMES = st.builds(
    lambda kind, flags, stream, body: len(body).to_bytes(3, "big") + bytes((kind, flags))
    + stream.to_bytes(4, "big") + body,
    st.integers(0, 12), st.integers(0, 255), st.integers(0, 3), st.binary(max_size=30),
)  # fmt: skip


@given(st.lists(st.one_of(FRAMES, st.binary(max_size=20)), max_size=8), st.booleans())
def test_any_bytes_are_frames_or_none(parts: list[bytes], sent: bool) -> None:
    flow = Flow(taking(Way(is_sent=sent)), is_stream=True)
    if sent:
        flow, _ = flow.read(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS, excerpt, 9)
    else:
        flow, _ = flow.read(SETTINGS, excerpt, 9)
    for part in parts:
        flow, pieces = flow.read(part, excerpt, 9)
        assert all(piece.isprintable() for piece in pieces if isinstance(piece, str))

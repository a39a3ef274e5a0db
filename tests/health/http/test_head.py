from contextlib import suppress
from time import process_time

import pytest

from libra_health.http.head import Framing, Head, MalformedResponse, parse_head
from libra_health.http.response import HEAD_LIMIT, NOTHING, feed


@pytest.mark.parametrize(
    ("text", "persists"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1", True, id="by default"),
        pytest.param(b"HTTP/1.1 204 No", True, id="no content"),
        pytest.param(b"HTTP/1.1 200 OK", False, id="until close"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 1", False, id="old"),
        pytest.param(b"HTTP/1.1 101 Switching", False, id="another protocol"),
        pytest.param(b"HTTP/1.1 204 No\r\nConnection: foo,  CLOSE ", False, id="close"),
        pytest.param(b"HTTP/1.1 204 No\nconnection:keep-alive", True, id="keep-alive"),
    ],
)
def test_a_connection_persists_as_rfc_9112_has_it(text: bytes, persists: bool) -> None:
    assert parse_head(text, bodiless=False).persists is persists


@pytest.mark.parametrize(
    ("text", "location"),
    [
        (b"HTTP/1.1 302 Found\r\nlocation:  /x \r\nA: b", b"/x"),
        (b"HTTP/1.1 302 Found\r\nX-Location: /x", b""),
    ],
)
def test_a_redirect_tells_its_location(text: bytes, location: bytes) -> None:
    assert parse_head(text, bodiless=True).location == location


def test_without_a_body_nothing_frames_it() -> None:
    head = parse_head(b"HTTP/1.1 200 OK\r\nContent-Length: x", bodiless=True)
    assert head == Head(200, Framing.NONE)


@pytest.mark.parametrize(
    "text", [b"HTTP/3 200", b"HTTP/1.1 200 OK\r\nContent-Length: 1, x", b"HTTP/1.1 20"]
)
def test_what_is_no_head_is_malformed(text: bytes) -> None:
    with pytest.raises(MalformedResponse):
        parse_head(text, bodiless=False)


@pytest.mark.parametrize("filler", [b" ", b"\t", b"\r", b" \r", b",", b" ,", b"1,", b"\n", b" \n"])
@pytest.mark.parametrize(
    "field",
    [b"Location:", b"Content-Length:", b"Transfer-Encoding:", b"Connection:", b"X:", b""],
)
@pytest.mark.parametrize("end", [b"x", b"\rx", b""])
def test_no_head_takes_long_to_read(field: bytes, filler: bytes, end: bytes) -> None:
    text = b"HTTP/1.1 302 Found\r\n" + field
    text += filler * ((HEAD_LIMIT - len(text) - 10) // len(filler)) + end
    before = process_time()
    with suppress(MalformedResponse):
        head = feed(NOTHING, text + b"\r\n\r\n", body_limit=1, bodiless=False).head
        assert head is not None
        assert isinstance((head.location, head.persists), tuple)
    assert process_time() - before < 0.05


@pytest.mark.parametrize("value", [b"1\r2", b"\r1 2", b"\x0b1"])
def test_a_length_with_more_than_blanks_around_it_is_malformed(value: bytes) -> None:
    with pytest.raises(MalformedResponse):
        parse_head(b"HTTP/1.1 200 OK\r\nContent-Length: " + value, bodiless=False)


def test_a_bare_carriage_return_counts_as_a_space() -> None:
    head = parse_head(b"HTTP/1.1 200 OK\nContent-Length:\r1\r\r\nLocation: /\r", bodiless=False)
    assert (head.framing, head.length, head.location) == (Framing.LENGTH, 1, b"/")

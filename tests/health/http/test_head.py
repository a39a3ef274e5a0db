import pytest

from libra_health.http.head import Framing, Head, MalformedResponse, parse_head


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

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.http.head import Framing, Head, MalformedResponse
from libra_health.http.response import (
    HEAD_LIMIT,
    NOTHING,
    OversizedResponse,
    Reading,
    feed,
    finish,
)

LIMIT = 1000


def read(*parts: bytes, limit: int = LIMIT, bodiless: bool = False) -> Reading:
    reading = NOTHING
    for part in parts:
        reading = feed(reading, part, body_limit=limit, bodiless=bodiless)
    return reading


@pytest.mark.parametrize(
    ("data", "status", "body"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, b"hi", id="length"),
        pytest.param(b"HTTP/1.1 200 OK\ncontent-length:2\n\nhi", 200, b"hi", id="bare newlines"),
        pytest.param(b"HTTP/1.0 404\r\nContent-Length: 0\r\n\r\n", 404, b"", id="no reason phrase"),
        pytest.param(b"HTTP/1.1 204 No\r\n\r\n", 204, b"", id="no content"),
        pytest.param(b"HTTP/1.1 101 Switching\r\n\r\n\x81", 101, b"", id="switched"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nhi",
            200,
            b"hi",
            id="the same length thrice",
        ),
        pytest.param(
            b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!",
            200,
            b"!",
            id="after an interim head",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\nContent-Length: 9\r\n\r\n"
            b"2;a=b\r\nhi\r\n01\n!\n0\r\nX: y\r\n\r\n",
            200,
            b"hi!",
            id="chunks with extension and trailer",
        ),
    ],
)
def test_a_response_is_the_same_whole_or_byte_by_byte(
    data: bytes, status: int, body: bytes
) -> None:
    whole, dripped = read(data), read(*(data[i : i + 1] for i in range(len(data))))
    for reading in (whole, dripped):
        assert reading.head is not None
        assert reading.is_complete
        assert (reading.head.status, reading.body) == (status, body)


def test_a_body_may_end_with_the_connection() -> None:
    reading = read(b"HTTP/1.0 200 OK\r\n\r\nhel", b"lo")
    assert not reading.is_complete
    assert finish(reading) == Reading(
        Head(200, Framing.UNTIL_CLOSE), b"", b"hello", reading.spent, is_complete=True
    )
    coded = read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nhello")
    assert finish(coded).body == b"hello"


def test_a_head_alone_is_complete_when_no_body_is_awaited() -> None:
    assert read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", bodiless=True).is_complete


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="another protocol"),
        pytest.param(b"HTTP/2 200\r\n\r\n", id="another version"),
        pytest.param(b"HTTP/1.1 999 x\r\n\r\n", id="no such status"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", id="negative length"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n", id="two lengths"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", id="size"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1" + b" " * 300, id="size line"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc", id="chunk"),
    ],
)
def test_what_is_no_http_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedResponse):
        read(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"y" * HEAD_LIMIT, id="endless header"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" * 2000, id="endless interim heads"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
            + b"x" * HEAD_LIMIT
            + b"x",
            id="endless trailer",
        ),
    ],
)
def test_an_endless_head_is_oversized(data: bytes) -> None:
    with pytest.raises(OversizedResponse):
        read(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\nabcdef", id="length"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nabcdef", id="until close"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nffffffffff\r\ncdef",
            id="chunked",
        ),
    ],
)
def test_no_more_of_a_body_is_held_than_asked_for(data: bytes) -> None:
    reading = read(data, limit=3)
    assert (reading.body, reading.is_cut, reading.is_complete) == (b"abc", True, True)


def test_a_body_that_just_fits_is_not_cut() -> None:
    reading = read(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", limit=3)
    assert (reading.is_cut, reading.is_complete) == (False, True)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-", id="within the head"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", id="within the body"),
    ],
)
def test_an_early_end_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedResponse):
        finish(read(data))


@pytest.mark.parametrize(
    ("data", "open_"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", True, id="whole"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh", False, id="not whole"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!", False, id="and more"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", False, id="HTTP/1.0"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: x, Close\r\n\r\nhi",
            False,
            id="says close",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            True,
            id="chunks",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP",
            False,
            id="chunks and more",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000, False, id="cut"
        ),
    ],
)
def test_only_after_a_whole_answer_may_more_be_asked(data: bytes, open_: bool) -> None:
    assert read(data).leaves_open is open_


FRAGMENTS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 100 C\r\n\r\n",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"\r\n",
        b"3\r\nabc\r\n",
        b"0\r\n",
        b"ffff\r\n",
    ]
)


@given(st.lists(FRAGMENTS | st.binary(max_size=20), max_size=12), st.booleans())
def test_any_bytes_are_read_or_refused(
    parts: list[bytes],
    bodiless: bool,
) -> None:
    reading = NOTHING
    try:
        for part in parts:
            reading = feed(reading, part, body_limit=LIMIT, bodiless=bodiless)
            assert len(reading.body) <= LIMIT
        finish(reading)
    except (MalformedResponse, OversizedResponse) as refusal:
        assert str(refusal)  # noqa: PT017  either is fine; a reason must be there

import pytest

from libra_health.http.request import Request, encode, header_value


def test_a_request_is_written_as_the_rfc_has_it() -> None:
    headers = (("X-Probe", "1"), ("User-Agent", "me"))
    request = Request("www.example.net", "/healthz?x=1", "HEAD", headers)
    assert encode(request) == (
        b"HEAD /healthz?x=1 HTTP/1.1\r\nHost: www.example.net\r\nUser-Agent: me\r\n"
        b"X-Probe: 1\r\nConnection: close\r\n\r\n"
    )
    assert request.is_head
    assert not Request("h").is_head


def test_a_body_goes_with_its_length() -> None:
    request = Request("h", method="POST", body=b"hi", version="1.0")
    assert encode(request) == (
        b"POST / HTTP/1.0\r\nHost: h\r\nUser-Agent: LibrA-health\r\nContent-Length: 2\r\n"
        b"Connection: close\r\n\r\nhi"
    )


@pytest.mark.parametrize(("method", "told"), [("PUT", True), ("GET", False), ("DELETE", False)])
def test_that_there_is_no_body_is_told_where_one_may_be_expected(method: str, told: bool) -> None:
    assert (b"Content-Length: 0\r\n" in encode(Request("h", method=method))) is told


def test_a_connection_that_is_wanted_again_is_kept_and_secrets_go_along() -> None:
    written = encode(Request("h"), keeps=True, secrets=(("Authorization", b"Bearer x"),))
    assert written.endswith(b"Connection: keep-alive\r\nAuthorization: Bearer x\r\n\r\n")


@pytest.mark.parametrize(("method", "twice"), [("GET", True), ("PUT", True), ("POST", False)])
def test_what_changes_something_is_not_repeated(method: str, twice: bool) -> None:
    assert Request("h", method=method).is_repeatable is twice


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(("h", "/a b"), id="blank in path"),
        pytest.param(("h\r\nX: y",), id="line break in host"),
        pytest.param(("h", "/", "GET\r\n"), id="line break in method"),
        pytest.param(("h", "/", "GET", (("X:", "y"),)), id="colon in name"),
        pytest.param(("h", "/", "GET", (("X", "y\r\nZ: z"),)), id="line break in value"),
    ],
)
def test_nothing_breaks_out_of_a_request(parts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"must be|control"):
        Request(*parts)  # type: ignore[arg-type]  # rows of different length


def test_a_files_content_becomes_a_value() -> None:
    assert header_value(b"Bearer x\r\n") == b"Bearer x"


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        pytest.param(b" \n", "is empty", id="empty"),
        pytest.param(b"a\r\nX: y", "more than one line", id="two lines"),
        pytest.param(b"a\x00", "more than one line", id="control character"),
        pytest.param(b"x" * 9000, "too long", id="long"),
    ],
)
def test_a_file_that_would_break_out_is_refused(data: bytes, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        header_value(data)

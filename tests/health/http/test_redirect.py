import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_health.http.redirect import Unfollowable, followed
from libra_health.http.request import Request

HERE = Request("www.example.net", "/a/b?c")


def follow(location: bytes, status: int = 302, request: Request = HERE) -> Request:
    return followed(request, status, location, scheme="http", port=8080)


@pytest.mark.parametrize(
    ("location", "host", "path"),
    [
        pytest.param(b"/x?y#z", "www.example.net", "/x?y", id="path"),
        pytest.param(b"x", "www.example.net", "/a/x", id="relative path"),
        pytest.param(b"?q", "www.example.net", "/a/b?q", id="query"),
        pytest.param(b"//other.example", "other.example", "/", id="host"),
        pytest.param(b"http://other.example/x", "other.example", "/x", id="whole"),
        pytest.param(b"http://a.example:8080/", "a.example:8080", "/", id="the port probed"),
        pytest.param(b"http://a.example:80/", "a.example:80", "/", id="the usual port"),
    ],
)
def test_path_and_host_are_taken_over(location: bytes, host: str, path: str) -> None:
    found = follow(location)
    assert (found.host, found.path) == (host, path)


@pytest.mark.parametrize(
    ("location", "why"),
    [
        pytest.param(b"https://www.example.net/", "another scheme", id="scheme"),
        pytest.param(b"ftp://www.example.net/", "another scheme", id="ftp"),
        pytest.param(b"http://www.example.net:81/", "another port", id="port"),
        pytest.param(b"http://www.example.net:x/", "no URL", id="no port"),
        pytest.param(b"http://u:p@www.example.net/", "no URL of a web server", id="user"),
        pytest.param(b"http://:80/x", "no URL of a web server", id="nobody"),
        pytest.param(b"/\xff", "no URL", id="not ASCII"),
        pytest.param(b"/a b", "no URL", id="blank"),
        pytest.param(b"//[x/", "no URL", id="half an address"),
    ],
)
def test_no_redirect_leads_elsewhere(location: bytes, why: str) -> None:
    with pytest.raises(Unfollowable, match=why):
        follow(location)


@pytest.mark.parametrize(
    ("method", "status", "then"),
    [
        ("POST", 301, "GET"),
        ("POST", 303, "GET"),
        ("POST", 307, "POST"),
        ("PUT", 302, "PUT"),
        ("PUT", 303, "GET"),
        ("HEAD", 303, "HEAD"),
    ],
)
def test_the_method_is_kept_as_rfc_9110_has_it(method: str, status: int, then: str) -> None:
    body = None if method == "HEAD" else b"x"
    found = follow(b"/", status, Request("h", method=method, body=body))
    assert (found.method, found.body) == (then, None if then in {"GET", "HEAD"} else b"x")


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_any_location_is_followed_or_refused(location: bytes) -> None:
    try:
        found = follow(location)
    except Unfollowable as refusal:
        assert str(refusal)  # noqa: PT017  either is fine; a reason must be there
    else:
        assert found.path.startswith("/")

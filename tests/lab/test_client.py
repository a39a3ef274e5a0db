import pytest

from libra_lab.client import Response, request_for, response_of


def test_a_request_names_the_target_with_its_query() -> None:
    address, port, request = request_for("http://10.1.0.10:8080/slow?bytes=5")
    assert (address, port) == ("10.1.0.10", 8080)
    assert request.startswith(b"GET /slow?bytes=5 HTTP/1.1\r\nHost: 10.1.0.10:8080\r\n")


def test_an_ipv6_address_is_found_within_its_brackets() -> None:
    assert request_for("http://[2001:db8::1]/")[:2] == ("2001:db8::1", 80)


def test_a_whole_response_is_read() -> None:
    received = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 3\r\n\r\nw1\n"
    assert response_of(received) == Response(503, "w1")


@pytest.mark.parametrize(
    "received",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="half a head"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nw1\n", id="half a body"),
        pytest.param(b"SSH-2.0-x\r\n\r\n", id="another protocol"),
    ],
)
def test_less_than_a_response_is_a_failure(received: bytes) -> None:
    with pytest.raises(OSError, match=r"no HTTP response|bytes came"):
        response_of(received)

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from libra_lab.client import Response, response_of
from libra_lab.servers import Http, Udp, main, paced


@pytest.fixture
def http() -> Iterator[Http]:
    server = Http("w1", 0, "127.0.0.1")
    thread = threading.Thread(target=serve_some, args=(server, 1))
    thread.start()
    yield server
    thread.join(5)
    server.listener.close()
    assert not thread.is_alive()


def serve_some(server: Http, connections: int) -> None:
    for _ in range(connections):
        connection, _ = server.listener.accept()
        server._converse(connection)


def exchange(server: Http, *targets: str) -> bytes:
    with socket.create_connection(server.listener.getsockname(), 5) as sock:
        for target in targets[:-1]:
            sock.sendall(f"GET {target} HTTP/1.1\r\n\r\n".encode())
        sock.sendall(f"GET {targets[-1]} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while data := sock.recv(65536):
            received += data
    return received


def test_any_path_is_answered_with_the_name(http: Http) -> None:
    assert response_of(exchange(http, "/any/path?x=y")) == Response(200, "w1")


def test_one_connection_carries_several_requests(http: Http) -> None:
    assert exchange(http, "/", "/healthz", "/").count(b"HTTP/1.1 200 OK") == 3


def test_a_toggled_server_is_unhealthy_and_still_serves(http: Http) -> None:
    http.toggle(0, None)
    received = exchange(http, "/healthz", "/")
    assert received.startswith(b"HTTP/1.1 503 ")
    assert received.count(b"HTTP/1.1 200 OK") == 1


def test_a_slow_download_has_the_asked_size(http: Http) -> None:
    received = exchange(http, "/slow?bytes=5000&seconds=0.1")
    assert len(received.partition(b"\r\n\r\n")[2]) == 5000


def test_pieces_are_paced_and_continue_the_pattern() -> None:
    started = time.monotonic()
    pieces = list(paced(10_000, 0.2))
    assert time.monotonic() - started >= 0.2
    assert len(pieces) > 3
    assert b"".join(pieces) == (b"0123456789abcdef" * 625)


def test_a_datagram_comes_back_with_the_name_from_the_address_that_was_asked() -> None:
    server = Udp("u1", 0, "0.0.0.0")
    threading.Thread(target=server.serve, daemon=True).start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.sendto(b"hello", ("127.0.0.7", server.socket.getsockname()[1]))
        assert sock.recvfrom(100)[0] == b"u1 hello"
        sock.sendto(b"again", ("127.0.0.7", server.socket.getsockname()[1]))
        assert sock.recvfrom(100)[1][0] == "127.0.0.7"


def test_a_command_line_without_a_kind_is_told_the_usage() -> None:
    with pytest.raises(SystemExit, match=r"usage: servers http\|udp"):
        main(["ftp"])

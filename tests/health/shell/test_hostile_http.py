"""Backends that mean ill, over HTTP with and without TLS: each ends its own check alone."""

import gzip
import resource
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from tests.health.authority import Authority
from tests.health.probing import PATIENCE, Prober

from libra_health.outcome import Failed, Reason

Talk = Callable[[socket.socket], object]
TIMEOUT = 0.5
"""Seconds, of what never ends by itself."""
SWOLLEN = 64 * 1024
"""KiB by which a run may make this process grow; an endless answer would take far more."""


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Authority(tmp_path_factory.mktemp("ca")).issue("a.example"))
    return context


@pytest.fixture
def probe() -> Iterator[Prober]:
    prober = Prober()
    yield prober
    prober.stop()


@contextmanager
def served(talk: Talk, context: ssl.SSLContext | None) -> Iterator[int]:
    """Serve connection after connection until the test is over; each is talked to once asked."""
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            with suppress(OSError):
                connection, _ = server.accept()
                connection.settimeout(PATIENCE)
                with (
                    connection
                    if context is None
                    else context.wrap_socket(connection, server_side=True) as spoken
                ):
                    spoken.recv(65536)
                    talk(spoken)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        over.set()
        server.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)


def endless(first: bytes, then: bytes, pause: float = 0.0) -> Talk:
    def talk(connection: socket.socket) -> None:
        connection.sendall(first)
        while True:  # until the check hangs up
            connection.sendall(then)
            time.sleep(pause)

    return talk


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(b"\0" * 50_000_000)
PACKED = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB)
LOOP = b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("talk", "spec", "reason"),
    [
        pytest.param(endless(b"", b"H", 0.05), {}, Reason.MALFORMED, id="no HTTP, dripped"),
        pytest.param(
            endless(b"HTTP/1.1 200 OK\r\n", b"X", 0.05), {}, Reason.TIMEOUT, id="a dripped head"
        ),
        pytest.param(
            endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000), {}, Reason.OVERSIZED, id="headers"
        ),
        pytest.param(
            endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 99), {}, Reason.OVERSIZED, id="interims"
        ),
        pytest.param(
            endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
            {"contains": "y", "max_body": 1 << 20},
            Reason.CONTENT,
            id="a body without end",
        ),
        pytest.param(
            endless(CHUNKED, b"1\r\nx\r\n" * 1000), {"contains": "y"}, Reason.CONTENT, id="chunks"
        ),
        pytest.param(
            endless(CHUNKED, b"0" * 99), {"contains": "y"}, Reason.MALFORMED, id="a chunk's size"
        ),
        pytest.param(
            endless(CHUNKED + b"0\r\n", b"X: y\r\n" * 99),
            {"contains": "y"},
            Reason.OVERSIZED,
            id="trailers",
        ),
        pytest.param(
            endless(PACKED, BOMB), {"digest": {"md5": "0" * 32}}, Reason.CONTENT, id="gzip bomb"
        ),
        pytest.param(
            lambda connection: connection.sendall(LOOP),
            {"redirects": 10},
            Reason.STATUS,
            id="a redirect to itself",
        ),
    ],
)
def test_a_hostile_backend_fails_in_time_and_in_bounded_memory(
    probe: Prober,
    context: ssl.SSLContext,
    scheme: str,
    talk: Talk,
    spec: dict[str, Any],
    reason: Reason,
) -> None:
    tls = {"tls": {"verify": False}} if scheme == "https" else {}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    timeout = TIMEOUT if reason is Reason.TIMEOUT else PATIENCE
    with served(talk, context if scheme == "https" else None) as port:
        outcome = probe(port, {scheme: spec | tls}, timeout)
    assert isinstance(outcome, Failed)
    assert outcome.reason is reason, outcome
    assert outcome.latency < PATIENCE
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < SWOLLEN

"""Clients on threads inside a node: single requests and long downloads, without new processes."""

import socket
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from libra_lab.answers import longest_silence
from libra_lab.inside import call_inside
from libra_lab.node import Node

CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response: `status` is its code, `text` its body without surrounding space."""

    status: int
    text: str


def fetch(node: Node, url: str, timeout: float = 5.0) -> Response:
    """Request `url` from inside `node` on a new connection; raise OSError or TimeoutError."""
    return node.call(_fetch, url, timeout)


def ask(node: Node, address: str, port: int, payload: str = "?", timeout: float = 2.0) -> str:
    """Send one datagram from inside `node` and return the answer; raise TimeoutError."""

    def exchange() -> str:
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(kind, socket.SOCK_DGRAM) as sock:
            sock.settimeout(timeout)
            sock.connect((address, port))
            sock.send(payload.encode())
            return sock.recv(CHUNK).decode()

    return node.call(exchange)


def request_for(url: str) -> tuple[str, int, bytes]:
    """Return the address, the port and the bytes of a GET request for `url`."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    head = f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
    return parts.hostname or "", parts.port or 80, head.encode()


def response_of(received: bytes) -> Response:
    """Return the response that `received` holds; raise OSError if it is not all there."""
    head, end, body = received.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    if not end or len(words) < 2 or not words[1].isdigit():  # noqa: PLR2004  version and code
        raise OSError(f"no HTTP response: {received[:40]!r}")
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length" and len(body) < int(value):
            raise OSError(f"{len(body)} of {int(value)} bytes came")
    return Response(int(words[1]), body.decode(errors="replace").strip())


def _fetch(url: str, timeout: float) -> Response:
    address, port, request = request_for(url)
    deadline, received = time.monotonic() + timeout, b""
    with closing(socket.create_connection((address, port), timeout)) as sock:
        sock.sendall(request)
        while data := sock.recv(CHUNK):
            received += data
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{url}: no end after {timeout:g} s")
            sock.settimeout(left)
    return response_of(received)


@dataclass(slots=True)
class Download:
    """A long download on a thread inside `node`; `arrivals` are monotonic seconds."""

    node: Node
    url: str
    timeout: float = 60.0
    arrivals: list[float] = field(default_factory=list)
    size: int = 0
    error: str = ""
    _thread: threading.Thread | None = None
    _first: threading.Event = field(default_factory=threading.Event)

    def start(self) -> Self:
        """Begin, and return once the first bytes are here; raise TimeoutError if none come."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        if not self._first.wait(self.timeout):
            raise TimeoutError(f"{self.url}: nothing came in {self.timeout:g} s")
        return self

    def finish(self) -> "Download":
        """Wait for the end; `error` then says what went wrong, if anything."""
        if self._thread is not None:
            self._thread.join()
        return self

    @property
    def silence(self) -> float:
        """The longest time without a byte, in seconds."""
        return longest_silence(self.arrivals)

    def _run(self) -> None:
        try:
            call_inside(self.node.namespace, self._receive)
        except OSError as error:
            self.error = str(error) or type(error).__name__
        finally:
            self._first.set()

    def _receive(self) -> None:
        address, port, request = request_for(self.url)
        received = bytearray()
        with closing(socket.create_connection((address, port), self.timeout)) as sock:
            sock.sendall(request)
            while data := sock.recv(CHUNK):
                self.arrivals.append(time.monotonic())
                received += data
                self._first.set()
        self.size = len(received) - received.index(b"\r\n\r\n") - 4
        response_of(bytes(received))

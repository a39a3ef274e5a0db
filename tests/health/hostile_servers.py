"""Servers that do what no server should, each on a port of its own, in a process of their own.

Run with a directory that holds cert.pem and key.pem; prints one JSON line, the port of every
behaviour (over TLS too: `over-tls-NAME`, over UDP: `udp-NAME`), and ends at the end of its input.
"""

import gzip
import itertools
import json
import random
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PATIENCE = 20.0
"""Seconds after which a connection that nobody ends is ended."""
BLOCK = 65536
OK = b"HTTP/1.1 200 OK\r\n"
NOISE = random.Random(7).randbytes(BLOCK)
RST = struct.pack("ii", 1, 0)

Talk = Callable[[socket.socket], None]


def flood(head: bytes, piece: bytes) -> Talk:
    """Say *head*, then *piece* again and again as fast as it is taken."""
    block = piece * max(1, BLOCK // len(piece))

    def talk(connection: socket.socket) -> None:
        connection.sendall(head)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            connection.sendall(block)

    return talk


def drip(text: bytes, pause: float) -> Talk:
    def talk(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        until = time.monotonic() + PATIENCE
        for byte in itertools.cycle(text):
            connection.sendall(bytes([byte]))
            time.sleep(pause)
            if time.monotonic() > until:
                return

    return talk


def say(*parts: bytes, hears: bool = True, resets: bool = False, stays: bool = False) -> Talk:
    """Hear a request, say something, then close, reset or stay."""

    def talk(connection: socket.socket) -> None:
        if hears:
            connection.settimeout(0.1)
            with suppress(TimeoutError):
                connection.recv(BLOCK)
            connection.settimeout(PATIENCE)
        for part in parts:
            connection.sendall(part)
        if stays:
            while connection.recv(BLOCK):
                pass
        if resets:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)

    return talk


def deaf(connection: socket.socket) -> None:
    """Take nothing, say nothing, close nothing."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    time.sleep(2)


def half_close(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(BLOCK):
        pass


def bomb() -> bytes:
    """Pack 50 MB of zeros."""
    packed = gzip.compress(b"0" * 50_000_000, 9)
    head = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    return OK + head + packed


BEHAVIOURS: dict[str, Talk] = {
    "good": say(OK + b"Content-Length: 2\r\n\r\nok", stays=True),
    "drip": drip(OK + b"X: y\r\n", 1.0),
    "drizzle": drip(OK + b"X: y\r\n", 0.002),
    "endless-head": flood(OK, b"X-Header: and so on\r\n"),
    "endless-line": flood(b"", b"y"),
    "endless-lines": flood(b"", b"\r\n"),
    "endless-interim": flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "endless-body": flood(OK + b"Content-Length: 999999999999\r\n\r\n", b"body"),
    "endless-until-close": flood(OK + b"\r\n", b"body"),
    "chunk-dust": flood(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "chunk-giant": flood(OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n", b"body"),
    "chunk-line": flood(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1"),
    "endless-trailer": flood(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
    "gzip-bomb": say(bomb()),
    "zeros": flood(b"", bytes(16)),
    "noise": flood(b"", NOISE),
    "reset-at-once": say(hears=False, resets=True),
    "reset-after-request": say(resets=True),
    "reset-in-head": say(OK + b"Content-Le", resets=True),
    "reset-in-body": say(OK + b"Content-Length: 9\r\n\r\nhalf", resets=True),
    "close-at-once": say(hears=False),
    "close-after-request": say(),
    "close-in-head": say(OK + b"Content-Le"),
    "close-in-body": say(OK + b"Content-Length: 9\r\n\r\nhalf"),
    "half-close": half_close,
    "silent": say(stays=True),
    "deaf": deaf,
    "tls-noise": flood(b"\x16\x03\x03\x40\x00", NOISE),
    "tls-alert": say(b"\x15\x03\x03\x00\x02\x02\x28"),
    "tls-half-hello": say(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03", stays=True),
    "tls-empty-records": flood(b"", b"\x17\x03\x03\x00\x00"),
    "endless-banner": flood(b"", b"220-hello\r\n"),
    "endless-continuation": flood(b"220 hello\r\n", b"250-more\r\n"),
    "giant-ber": flood(b"", b"\x30\x84\x7f\xff\xff\xff"),
    "nested-ber": flood(b"", b"\x30\x80"),
    "giant-dns": flood(b"\xff\xff", b"\xc0\x0c"),
}  # fmt: skip
DATAGRAMS: dict[str, bytes] = {"noise": NOISE[:1200], "empty": b"", "echo": b"?"}


def serve_tcp(server: socket.socket, talk: Talk, context: ssl.SSLContext | None) -> None:
    while True:
        connection, _ = server.accept()
        threading.Thread(target=converse, args=(connection, talk, context), daemon=True).start()


def converse(connection: socket.socket, talk: Talk, context: ssl.SSLContext | None) -> None:
    with suppress(OSError), connection:
        connection.settimeout(PATIENCE)
        if context is None:
            talk(connection)
            return
        with context.wrap_socket(connection, server_side=True) as secured:
            talk(secured)


def serve_udp(server: socket.socket, answer: bytes) -> None:
    """Answer every datagram with two seconds of datagrams, as fast as they go."""
    while True:
        data, peer = server.recvfrom(BLOCK)
        until = time.monotonic() + 2.0
        while time.monotonic() < until:
            with suppress(OSError):
                server.sendto(data if answer == b"?" else answer, peer)


def start(work: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=work, args=arguments, daemon=True).start()


def main(directory: Path) -> None:
    """Serve until the end of input."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    ports = {}
    for name, talk in BEHAVIOURS.items():
        for prefix, speaks in (("", None), ("over-tls-", context)):
            server = socket.create_server(("127.0.0.1", 0), backlog=256)
            ports[prefix + name] = server.getsockname()[1]
            start(serve_tcp, server, talk, speaks)
    for name, answer in DATAGRAMS.items():
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind(("127.0.0.1", 0))
        ports["udp-" + name] = datagrams.getsockname()[1]
        start(serve_udp, datagrams, answer)
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

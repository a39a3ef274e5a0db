"""Tiny real servers for tests and the demo, cheap to start where starting is slow.

`python -m libra_lab.servers http --name w1 --port 80`: any path answers with the name,
`/healthz` with 200 (503 after every odd SIGUSR1), `/slow?bytes=N&seconds=S` sends N bytes at a
constant rate. `python -m libra_lab.servers udp --name u1 --port 53`: answers `NAME PAYLOAD`
from the address that was asked. Both print `ready` once they listen; `--address` defaults to all.
"""

import contextlib
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

BACKLOG = 1024
TICK = 0.02
HEAD_LIMIT = 65536
IP_PKTINFO = 8  # linux/in.h
PATTERN = b"0123456789abcdef" * 64


class Http:
    """An HTTP/1.1 server with a thread per connection."""

    def __init__(self, name: str, port: int, address: str) -> None:
        self.name = name
        self.healthy = True
        self.listener = socket.create_server((address, port), backlog=BACKLOG, family=_of(address))

    def toggle(self, _number: int, _frame: object) -> None:
        """Make `/healthz` answer the other way."""
        self.healthy = not self.healthy

    def serve(self) -> None:
        """Serve until killed."""
        signal.signal(signal.SIGUSR1, self.toggle)
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for head in heads(connection):
                self._answer(connection, head.split(b" ", 2)[1].decode(errors="replace"))
                if b"connection: close" in head.lower() or b" HTTP/1.0" in head:
                    break

    def _answer(self, connection: socket.socket, target: str) -> None:
        path, _, query = target.partition("?")
        words = dict(word.partition("=")[::2] for word in query.split("&"))
        if path == "/slow":
            size, seconds = int(words.get("bytes", "65536")), float(words.get("seconds", "1"))
            connection.sendall(response_head("200 OK", size))
            for piece in paced(size, seconds):
                connection.sendall(piece)
            return
        status = "200 OK" if self.healthy or path != "/healthz" else "503 Service Unavailable"
        body = f"{self.name}\n".encode()
        connection.sendall(response_head(status, len(body)) + body)


def heads(connection: socket.socket) -> Iterator[bytes]:
    """Yield the head of each request on a connection; bodies are not expected."""
    received = b""
    while len(received) < HEAD_LIMIT:
        head, end, rest = received.partition(b"\r\n\r\n")
        if end:
            received = rest
            yield head
            continue
        data = connection.recv(HEAD_LIMIT)
        if not data:
            return
        received += data


def response_head(status: str, size: int) -> bytes:
    """Return the head of a response with `size` bytes of text to follow."""
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {size}\r\n\r\n".encode()
    )


def paced(size: int, seconds: float) -> Iterator[bytes]:
    """Yield `size` bytes in pieces, sleeping so that they take `seconds` in all."""
    started, sent = time.monotonic(), 0
    while sent < size:
        elapsed = time.monotonic() - started
        due = size if elapsed >= seconds else int(size * elapsed / seconds)
        if due > sent:
            first = sent % len(PATTERN)
            length = due - sent
            yield (PATTERN * ((first + length) // len(PATTERN) + 1))[first : first + length]
            sent = due
        if sent < size:
            time.sleep(TICK)


class Udp:
    """A server that answers each datagram with its name and the payload."""

    def __init__(self, name: str, port: int, address: str) -> None:
        self.name = name
        self.socket = socket.socket(_of(address), socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if _of(address) == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            self.socket.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        self.socket.bind((address, port))

    def serve(self) -> None:
        """Serve until killed; the source of an answer is the address that was asked."""
        while True:
            payload, asked, _, peer = self.socket.recvmsg(65535, 128)
            with contextlib.suppress(OSError):
                self.socket.sendmsg([f"{self.name} ".encode() + payload], _source(asked), 0, peer)


def _source(asked: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    """Turn the received packet information into a source (ip(7): interface 0, ipi_spec_dst)."""
    answered = []
    for level, kind, data in asked:
        if level == socket.IPPROTO_IP and kind == IP_PKTINFO:
            answered.append((level, kind, bytes(4) + data[8:12] + bytes(4)))
        elif level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
            answered.append((level, kind, data[:16] + bytes(4)))
    return answered


def _of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def main(argv: list[str] | None = None) -> None:
    """Serve as the command line says; raise SystemExit with the usage if it says nothing."""
    kinds: dict[str, Callable[[str, int, str], Http | Udp]] = {"http": Http, "udp": Udp}
    match sys.argv[1:] if argv is None else argv:
        case [kind, *words] if kind in kinds and len(words) % 2 == 0:
            options = dict(zip(words[::2], words[1::2], strict=True))
        case _:
            raise SystemExit("usage: servers http|udp [--name NAME] [--port N] [--address A]")
    server = kinds[kind](
        options.get("--name", kind),
        int(options.get("--port", "80")),
        options.get("--address", "0.0.0.0"),
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.serve()


if __name__ == "__main__":
    main()

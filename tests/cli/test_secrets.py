"""No secret of a sink is told anywhere, even where a receiver repeats it."""

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from libra_cli.testing import Host, Up
from libra_runtime.nats_server import free_port

TEAM, KEY, PASSWORD = "T0SECRET1", "hmac-s3cret-key", "passw0rd-s3cret"


class Echo(BaseHTTPRequestHandler):
    """Refuses, repeating whatever it was sent."""

    def do_POST(self) -> None:
        body = f"Cannot POST {self.path}: unknown team {self.path.split('/')[-1]}".encode()
        self.send_response(404, f"No {self.path}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Mail(socketserver.StreamRequestHandler):
    """A mail server that refuses every login, repeating it."""

    def handle(self) -> None:
        self.wfile.write(b"220 mail\r\n")
        for line in self.rfile:
            if line.upper().startswith(b"EHLO"):
                self.wfile.write(b"250-mail\r\n250 AUTH PLAIN\r\n")
            elif line.upper().startswith(b"AUTH"):
                self.wfile.write(b"535 no: " + line.strip() + b"\r\n")
            else:
                self.wfile.write(b"250 fine\r\n")


@contextmanager
def serving(server: socketserver.TCPServer) -> Iterator[int]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def metrics(port: int) -> str:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/metrics")
    return connection.getresponse().read().decode()


def secret(host: Host, name: str, text: str) -> str:
    path = Path(host.write(text, name))
    path.chmod(0o644)
    return str(path)


def config(host: Host, hook: int, mail: int) -> str:
    url = secret(host, "url", f"http://127.0.0.1:{hook}/services/{TEAM}\n")
    key, password = secret(host, "key", KEY), secret(host, "password", PASSWORD)
    return host.write(
        f"""\
version: 1
nodes: {{a: {{address: 10.0.0.2}}}}
services: {{web: {{address: "192.0.2.10:80", backends: {{w1: "10.0.1.11:80"}}}}}}
notify:
  hook:
    webhook: {{url_file: {url}, secret_file: {key}}}
    match: ["operator.*"]
    retry: {{attempts: 2, first: 100ms}}
  mail:
    email: {{to: [x@example.org], from: l@example.org, server: 127.0.0.1, port: {mail},
            user: me, password_file: {password}}}
    match: ["operator.*"]
    retry: {{attempts: 2, first: 100ms}}
"""
    )


def test_no_secret_is_told_even_where_a_receiver_repeats_it(host: Host) -> None:
    with (
        serving(ThreadingHTTPServer(("127.0.0.1", 0), Echo)) as hook,
        serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail)) as mail,
    ):
        first = free_port()
        words = ("up", "--only", "console,notifier", "--metrics", str(first))
        up = Up(
            host.start(*words, "--log-level", "debug", "--config", config(host, hook, mail)), []
        )
        try:
            up.read_until("node a is up")
            host.libra("drain", "backend.web.w1")
            told = failures(host)
            told += [host.libra("status").stdout, host.libra("status", "--json").stdout]
            told += [metrics(first), metrics(first + 4)]
        finally:
            assert up.end() == 0
    everything = "\n".join([*told, *up.said])
    assert "404 No …" in everything
    assert "535" in everything
    for each in (TEAM, KEY, PASSWORD, "AG1lAHBhc3N3MHJk"):
        assert each not in everything


def failures(host: Host) -> list[str]:
    """Wait until both sinks gave up; give the log as it is shown."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        shown = host.libra("events", "--json").stdout
        if shown.count('"type": "notify.failed"') == 2:
            return [shown, host.libra("events").stdout]
        time.sleep(0.2)
    pytest.fail(shown)

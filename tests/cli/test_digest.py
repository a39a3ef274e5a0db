"""`libra digest` as an operator runs it, and a check made of what it prints."""

import hashlib
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.health.authority import Authority
from tests.health.probing import Prober

from libra_cli.exits import DONE, MISSING, REFUSED, UNREACHABLE
from libra_health.outcome import Failed, Passed, Reason

PAGES = {"/": b"all is well\n", "/large": b"x" * 100_000, "/endless": b"x" * 1_100_000}
HOST = "www.example.net"


class Pages(BaseHTTPRequestHandler):
    """Answers to its own name alone, and never compresses."""

    def do_GET(self) -> None:
        body = PAGES.get(self.path, b"")
        is_named = self.headers["Host"] == HOST
        status = 302 if self.path == "/old" else 200 if body and is_named else 404
        self.send_response(status)
        self.send_header("Location", "/")
        if self.path != "/large":  # that one ends with the connection
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        assert "Accept-Encoding" not in self.headers
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Let a client go that wants no more."""


@contextmanager
def served(certificate: str = "") -> Iterator[int]:
    with Server(("127.0.0.1", 0), Pages) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()


def libra(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "libra_cli", "digest", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def probe() -> Iterator[Prober]:
    prober = Prober()
    yield prober
    prober.stop()


@pytest.mark.parametrize("path", ["/", "/large"])
@pytest.mark.parametrize("options", [[], ["--md5"]], ids=["sha256", "md5"])
def test_a_check_made_of_it_passes_until_the_page_changes(
    probe: Prober, path: str, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with served() as port:
        printed = libra(f"http://127.0.0.1:{port}{path}", "--host", HOST, *options)
        assert (printed.returncode, printed.stderr) == (DONE, "")
        spec = yaml.safe_load(printed.stdout) | {"path": path, "host": HOST}
        passed = probe(port, {"http": spec})
        monkeypatch.setitem(PAGES, path, PAGES[path] + b"!")
        failed = probe(port, {"http": spec | {"max_body": 200_000}})
    assert isinstance(passed, Passed), passed
    assert isinstance(failed, Failed)
    assert failed.reason is Reason.CONTENT


def test_over_tls_the_server_must_be_the_one_that_is_named(tmp_path: Path, probe: Prober) -> None:
    authority = Authority(tmp_path)
    with served(authority.issue(HOST)) as port:
        url = f"https://127.0.0.1:{port}/"
        doubted = libra(url, "--host", HOST)
        printed = libra(url, "--host", HOST, "--ca-file", authority.ca)
        unlooked = libra(url, "--host", HOST, "--insecure", "--json")
        spec = yaml.safe_load(printed.stdout) | {"host": HOST, "tls": {"ca_file": authority.ca}}
        outcome = probe(port, {"https": spec})
    assert doubted.returncode == UNREACHABLE
    assert doubted.stderr.endswith(": name --host or --ca-file, or --insecure\n")
    assert isinstance(outcome, Passed), outcome
    value = hashlib.sha256(PAGES["/"]).hexdigest()
    assert json.loads(unlooked.stdout) == {"url": url, "bytes": 12, "sha256": value}


def test_what_is_no_page_has_no_digest(tmp_path: Path) -> None:
    with served() as port:
        here = f"http://127.0.0.1:{port}"
        cases = {
            f"{here}/nowhere": (REFUSED, "status 404"),
            f"{here}/old": (REFUSED, "status 302, redirected to '/'"),
            f"{here}/endless": (REFUSED, "more than 1048576 bytes"),
            "ftp://127.0.0.1/": (REFUSED, "expected a URL such as http://"),
            "http://127.0.0.1:x/": (REFUSED, "Port could not be cast"),
            f"{here}/a b": (REFUSED, "write %20"),
        }
        for url, (status, said) in cases.items():
            refused = libra(url, "--host", HOST)
            assert (refused.returncode, refused.stdout) == (status, ""), url
            assert said in refused.stderr
            assert refused.stderr.count("\n") == 1
    gone = libra(f"http://127.0.0.1:{port}/")
    assert (gone.returncode, "Connection refused" in gone.stderr) == (UNREACHABLE, True)
    unread = libra("https://127.0.0.1/", "--ca-file", str(tmp_path / "missing.pem"))
    assert unread.returncode == MISSING
    assert "missing.pem: No such file" in unread.stderr

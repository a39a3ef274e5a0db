"""Checks `http`, `https` and `tls` against nginx, which took part in none of their tests."""

import gzip
import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.health.authority import Authority
from tests.health.probing import PATIENCE, Prober

from libra_health.outcome import Failed, Outcome, Passed, Reason

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PACKED = gzip.compress(b"all is well\n" * 1000, mtime=0)

CONFIG = """
daemon off; master_process off; pid nginx.pid; error_log error.log info;
events {{}}
http {{
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi; default_type text/plain;
  log_format connections "$connection $connection_requests $request_method $uri $server_name";
  access_log access.log connections;
  ssl_certificate {usual}; ssl_session_cache off;
  server {{
    listen 127.0.0.1:{plain}; listen 127.0.0.1:{tls} ssl; server_name www.example.net;
    location = / {{ return 200 "all is well\\n"; }}
    location = /old {{ return 301 /; }}
    location = /elsewhere {{ return 302 https://www.example.org/; }}
    location = /packed {{ root {pages}; add_header Content-Encoding gzip; }}
    location = /brief {{ keepalive_timeout 0; return 200 "brief\\n"; }}
  }}
  server {{
    listen 127.0.0.1:{tls} ssl; server_name b.example; ssl_certificate {other};
    location / {{ return 200 "this is b\\n"; }}
  }}
  server {{
    listen 127.0.0.1:{closed} ssl; ssl_client_certificate {ca}; ssl_verify_client on;
    ssl_protocols TLSv1.2;
    location / {{ return 200 "come in\\n"; }}
  }}
  server {{
    listen 127.0.0.1:{closed13} ssl; ssl_client_certificate {ca}; ssl_verify_client on;
    ssl_protocols TLSv1.3;
    location / {{ return 200 "come in\\n"; }}
  }}
}}
"""


@dataclass(frozen=True)
class Nginx:
    """A running nginx; `log` is what it wrote of each request since the last time."""

    where: Path
    ports: dict[str, int]
    authority: Authority

    def log(self, lines: int) -> list[list[str]]:
        path, end = self.where / "access.log", time.monotonic() + PATIENCE
        while len(written := path.read_text().splitlines()) < lines and time.monotonic() < end:
            time.sleep(0.01)
        path.write_text("")
        return [line.split() for line in written]

    def tls(self, **more: str) -> dict[str, Any]:
        return {"tls": {"name": "www.example.net", "ca_file": self.authority.ca} | more}


def free_ports(names: list[str]) -> dict[str, int]:
    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in names]
        return {name: sock.getsockname()[1] for name, sock in zip(names, held, strict=True)}


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    assert NGINX is not None, "nginx-light of requirements/apt.txt is not installed (tools/setup)"
    where = tmp_path_factory.mktemp("nginx")
    authority = Authority(where)
    ports = free_ports(["plain", "tls", "closed", "closed13"])
    (where / "packed").write_bytes(PACKED)
    usual, other = (
        f"{path}; ssl_certificate_key {path}"
        for path in (authority.issue("www.example.net"), authority.issue("b.example"))
    )
    given = ports | {"usual": usual, "other": other, "ca": authority.ca, "pages": where}
    (where / "nginx.conf").write_text(CONFIG.format(**given))
    command: list[str | Path] = [
        NGINX,
        "-p",
        where,
        "-c",
        where / "nginx.conf",
        "-e",
        where / "error.log",
    ]
    with subprocess.Popen(command) as process:
        for port in ports.values():
            until_open(port, process)
        (where / "access.log").write_text("")
        yield Nginx(where, ports, authority)
        process.terminate()


def until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("nginx does not listen")


@pytest.fixture
def probe() -> Iterator[Prober]:
    prober = Prober()
    yield prober
    prober.stop()


def detail(outcome: Outcome) -> str:
    assert isinstance(outcome, Failed), outcome
    return outcome.detail


def test_two_pages_are_two_requests_of_one_connection(nginx: Nginx, probe: Prober) -> None:
    spec = {"requests": [{"path": "/", "contains": "well"}, {"path": "/old", "status": 301}]}
    for port, check in (
        (nginx.ports["plain"], {"http": spec}),
        (nginx.ports["tls"], {"https": spec | nginx.tls()}),
    ):
        outcome = probe(port, check)
        assert isinstance(outcome, Passed), outcome
        first, second = nginx.log(2)
        assert first[0] == second[0]
        assert [first[1:4], second[1:4]] == [["1", "GET", "/"], ["2", "GET", "/old"]]


def test_a_connection_that_nginx_closes_is_opened_anew(nginx: Nginx, probe: Prober) -> None:
    spec = {"requests": [{"path": "/brief"}, {"path": "/", "method": "HEAD"}, {"path": "/"}]}
    outcome = probe(nginx.ports["tls"], {"https": spec | nginx.tls()})
    assert isinstance(outcome, Passed), outcome
    log = nginx.log(3)
    assert [line[1:4] for line in log] == [
        ["1", "GET", "/brief"], ["1", "HEAD", "/"], ["2", "GET", "/"],
    ]  # fmt: skip


def test_a_redirect_is_followed_on_the_same_server_alone(nginx: Nginx, probe: Prober) -> None:
    port = nginx.ports["plain"]
    followed = probe(port, {"http": {"path": "/old", "redirects": 1, "contains": "well"}})
    assert isinstance(followed, Passed), followed
    named = detail(probe(port, {"http": {"path": "/old", "host": "www.example.net"}}))
    there = f"http://www.example.net:{port}/"
    assert named == f"status 301, wanted 200-299, redirected to '{there}'"
    elsewhere = detail(probe(port, {"http": {"path": "/elsewhere", "redirects": 3}}))
    assert elsewhere.endswith("redirected to 'https://www.example.org/': another scheme")
    nginx.log(4)


def test_a_body_that_comes_compressed_is_compared_as_it_came(nginx: Nginx, probe: Prober) -> None:
    digest = {"sha256": hashlib.sha256(PACKED).hexdigest()}
    spec = {"path": "/packed", "digest": digest} | nginx.tls()
    assert isinstance(probe(nginx.ports["tls"], {"https": spec}), Passed)
    unpacked = probe(nginx.ports["plain"], {"http": {"path": "/packed", "contains": "well"}})
    assert isinstance(unpacked, Failed)
    nginx.log(2)


def test_the_host_selects_certificate_and_page(nginx: Nginx, probe: Prober) -> None:
    ca = {"tls": {"ca_file": nginx.authority.ca}}
    spec = {"host": "b.example", "contains": "this is b"} | ca
    outcome = probe(nginx.ports["tls"], {"https": spec})
    assert isinstance(outcome, Passed), outcome
    unknown = probe(nginx.ports["tls"], {"https": {"host": "c.example"} | ca})
    assert detail(unknown).startswith("Hostname mismatch")
    nginx.log(1)


def test_a_client_certificate_opens_what_is_closed(nginx: Nginx, probe: Prober) -> None:
    own = nginx.tls(certificate_file=nginx.authority.issue("probe.example"))
    for port in (nginx.ports["closed"], nginx.ports["closed13"]):
        outcome = probe(port, {"https": {"contains": "come in"} | own})
        assert isinstance(outcome, Passed), outcome
        without = probe(port, {"https": {"contains": "come in"} | nginx.tls()})
        assert detail(without).startswith("status 400")
    nginx.log(4)


def test_a_handshake_tells_what_was_met(nginx: Nginx, probe: Prober) -> None:
    outcome = probe(nginx.ports["closed"], nginx.tls(expires_within="14d"))
    assert isinstance(outcome, Passed)
    assert outcome.detail == "TLSv1.2, certificate expires in 89 days"
    soon = probe(nginx.ports["tls"], nginx.tls(expires_within="100d"))
    assert isinstance(soon, Failed)
    assert soon.reason is Reason.EXPIRY
    plain = probe(nginx.ports["plain"], nginx.tls())
    assert isinstance(plain, Failed)
    assert plain.reason is Reason.TLS


def test_a_plain_request_to_a_port_of_tls_is_told_so(nginx: Nginx, probe: Prober) -> None:
    assert detail(probe(nginx.ports["tls"], {"http": {}})) == (
        "what answered speaks TLS: status 400, wanted 200-299"
    )


def test_a_handshake_with_a_port_of_plain_http_is_told_so(nginx: Nginx, probe: Prober) -> None:
    said = detail(probe(nginx.ports["plain"], {"https": {}}))
    assert said.startswith("what answered is not TLS: 'HTTP/1.1 400 Bad Request")

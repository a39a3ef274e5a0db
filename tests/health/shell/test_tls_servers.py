"""Checks `tls` and `https` against servers of Python's own ssl and http.server."""

import hashlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.health.authority import Authority
from tests.health.probing import Prober

from libra_health.outcome import Errored, Failed, Outcome, Passed, Reason

NAME = "www.example.net"
PAGE = b"all is well\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("other"), "a CA that nobody knows")


@pytest.fixture
def probe() -> Iterator[Prober]:
    prober = Prober()
    yield prober
    prober.stop()


class Pages(BaseHTTPRequestHandler):
    """Knows one page; HTTP/1.1 with connections that stay."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        routes: dict[str, tuple[int, bytes]] = {"/": (200, PAGE), "/moved": (302, b"")}
        status, body = routes.get(self.path, (404, b"no such page"))
        if self.path == "/private" and self.headers["Authorization"] == "Bearer s3cret":
            status, body = 200, PAGE
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[::-1])

    def do_PUT(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Counts connections; a handshake that fails is no trouble."""

    daemon_threads = True
    connections = 0

    def get_request(self) -> tuple[socket.socket, Any]:
        self.connections += 1
        return super().get_request()

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


def context_of(certificate: str, **versions: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    for key, version in versions.items():
        setattr(context, key, version)
    return context


@contextmanager
def pages(context: ssl.SSLContext | None = None) -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Pages) as server:
        if context is not None:
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextmanager
def answering(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve one connection by hand."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    talk(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        thread.join()


def port_of(server: Server) -> int:
    return int(server.server_address[1])


def reason(outcome: Outcome) -> Reason:
    assert isinstance(outcome, Failed), outcome
    return outcome.reason


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_valid_certificate_passes(
    authority: Authority, probe: Prober, version: ssl.TLSVersion
) -> None:
    context = context_of(authority.issue(NAME), minimum_version=version, maximum_version=version)
    tls = {"name": NAME, "ca_file": authority.ca, "expires_within": "80d"}
    with pages(context) as server:
        shaken = probe(port_of(server), {"tls": tls})
        asked = probe(port_of(server), {"https": {"contains": "well", "tls": tls}})
    assert isinstance(shaken, Passed)
    assert shaken.detail == f"{version.name.replace('_', '.')}, certificate expires in 89 days"
    assert isinstance(asked, Passed)


def test_an_address_may_be_what_is_certified(authority: Authority, probe: Prober) -> None:
    with pages(context_of(authority.issue("127.0.0.1"))) as server:
        outcome = probe(port_of(server), {"tls": {"ca_file": authority.ca}})
    assert isinstance(outcome, Passed)


@pytest.mark.parametrize("kind", ["tls", "https"])
@pytest.mark.parametrize(
    ("names", "days", "by", "found", "detail"),
    [
        pytest.param((NAME,), -1.0, "ours", Reason.CERTIFICATE, "expired", id="expired"),
        pytest.param(
            ("other.example", "10.1.2.3"),
            90.0,
            "ours",
            Reason.CERTIFICATE,
            f"Hostname mismatch, certificate is not valid for '{NAME}'; "
            "it is for other.example, 10.1.2.3",
            id="name",
        ),
        pytest.param(
            (NAME,), 90.0, "theirs", Reason.CERTIFICATE, "unable to get local issuer", id="CA"
        ),
        pytest.param((NAME,), 5.0, "ours", Reason.EXPIRY, "in 4.9 days, wanted 14", id="soon"),
    ],
)
def test_a_certificate_that_is_not_valid_fails(  # noqa: PLR0913, PLR0917  a row and its servers
    authority: Authority,
    stranger: Authority,
    probe: Prober,
    kind: str,
    names: tuple[str, ...],
    days: float,
    by: str,
    found: Reason,
    detail: str,
) -> None:
    certificate = (authority if by == "ours" else stranger).issue(*names, days=days)
    tls = {"name": NAME, "ca_file": authority.ca, "expires_within": "14d"}
    with pages(context_of(certificate)) as server:
        outcome = probe(port_of(server), {"tls": tls} if kind == "tls" else {"https": {"tls": tls}})
    assert reason(outcome) is found
    assert isinstance(outcome, Failed)
    assert detail in outcome.detail


def test_a_certificate_that_signs_itself_is_trusted_by_nobody(
    stranger: Authority, tmp_path: Path, probe: Prober
) -> None:
    alone = Authority(tmp_path, NAME)
    with pages(context_of(alone.issue(NAME))) as server:
        outcome = probe(port_of(server), {"tls": {"name": NAME, "ca_file": stranger.ca}})
        unlooked = probe(port_of(server), {"tls": {"name": NAME, "verify": False}})
    assert reason(outcome) is Reason.CERTIFICATE
    assert isinstance(unlooked, Passed)


def test_an_address_that_is_not_certified_is_told_with_what_is(
    authority: Authority, probe: Prober
) -> None:
    with pages(context_of(authority.issue("127.0.0.2"))) as server:
        outcome = probe(port_of(server), {"tls": {"ca_file": authority.ca}})
    assert isinstance(outcome, Failed)
    assert outcome.detail.startswith("IP address mismatch, ")
    assert outcome.detail.endswith("'127.0.0.1'; it is for 127.0.0.2")


def test_the_name_selects_the_certificate(authority: Authority, probe: Prober) -> None:
    usual, other = context_of(authority.issue(NAME)), context_of(authority.issue("b.example"))

    def select(sock: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        sock.context = other if name == "b.example" else usual

    usual.sni_callback = select
    with pages(usual) as server:
        outcomes = [
            probe(port_of(server), {"https": {"host": host, "tls": {"ca_file": authority.ca}}})
            for host in (NAME, "b.example", "c.example")
        ]
    assert [type(outcome) for outcome in outcomes] == [Passed, Passed, Failed]
    assert reason(outcomes[2]) is Reason.CERTIFICATE


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_is_shown_where_one_is_required(
    authority: Authority,
    stranger: Authority,
    probe: Prober,
    tmp_path: Path,
    version: ssl.TLSVersion,
) -> None:
    context = context_of(authority.issue(NAME), maximum_version=version)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.ca)
    key = tmp_path / "key.pem"
    certificate = authority.issue("probe.example", days=91, key=key)
    shown = {
        "none": {},
        "with its key": {"certificate_file": authority.issue("probe.example")},
        "and its key": {"certificate_file": certificate, "key_file": str(key)},
        "a stranger's": {"certificate_file": stranger.issue("probe.example")},
    }
    with pages(context) as server:
        outcomes = {
            said: probe(
                port_of(server),
                {"https": {"tls": {"name": NAME, "ca_file": authority.ca} | files}},
            )
            for said, files in shown.items()
        }
    assert isinstance(outcomes["with its key"], Passed), outcomes
    assert isinstance(outcomes["and its key"], Passed), outcomes
    for refused in ("none", "a stranger's"):
        assert reason(outcomes[refused]) in {Reason.TLS, Reason.RESET}, outcomes


def test_files_that_are_missing_are_our_trouble(probe: Prober, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    with pages() as server:
        for path in (empty, tmp_path / "missing.pem"):
            outcome = probe(port_of(server), {"tls": {"ca_file": str(path)}})
            assert isinstance(outcome, Errored)
            assert path.name in outcome.detail


def test_a_protocol_must_be_chosen_where_one_is_asked_for(
    authority: Authority, probe: Prober
) -> None:
    context = context_of(authority.issue(NAME))
    context.set_alpn_protocols(["http/1.1"])
    tls = {"name": NAME, "ca_file": authority.ca}
    with pages(context) as server:
        port = port_of(server)
        chosen = probe(port, {"https": {"tls": tls | {"alpn": ["http/1.1"]}}})
        other = probe(port, {"tls": tls | {"alpn": ["imap"]}})
    assert isinstance(chosen, Passed)
    assert reason(other) is Reason.TLS


@pytest.mark.parametrize(
    ("talk", "found"),
    [
        pytest.param(lambda c: c.sendall(b"220 mail.example\r\n"), Reason.TLS, id="not TLS"),
        pytest.param(
            lambda c: c.sendall(b"\x16\x03\x03\x00\x02" + b"\xff" * 2), Reason.TLS, id="garbage"
        ),
        pytest.param(lambda c: c.recv(5000), Reason.TLS, id="closes"),
        pytest.param(
            lambda c: (
                c.recv(5000),
                c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),
            ),
            Reason.RESET,
            id="resets",
        ),
    ],
)
@pytest.mark.parametrize("check", [{"tls": {}}, {"https": {}}])
def test_a_handshake_that_does_not_come_about_fails(
    probe: Prober, talk: Callable[[socket.socket], None], found: Reason, check: dict[str, Any]
) -> None:
    with answering(talk) as port:
        outcome = probe(port, check)
    assert reason(outcome) is found, outcome


@pytest.mark.parametrize("check", [{"tls": {}}, {"https": {}}, {"smtp": {"tls": {}}}])
@pytest.mark.parametrize("greeting", [b"220 mail.example\r\n", b"-E"])
def test_what_answers_a_handshake_in_the_clear_is_told(
    probe: Prober, check: dict[str, Any], greeting: bytes
) -> None:
    with answering(lambda connection: connection.sendall(greeting)) as port:
        outcome = probe(port, check)
    assert isinstance(outcome, Failed)
    said = greeting.decode().replace("\r\n", r"\r\n")
    assert (outcome.reason, outcome.detail) == (
        Reason.TLS, f"what answered is not TLS: '{said}'",
    )  # fmt: skip


@pytest.mark.parametrize(
    "check",
    ["http", "grpc", "ldap", {"tcp": {"send": "PING\r\n", "expect": "PONG"}},
     {"tcp": {"preset": "redis"}}],
)  # fmt: skip
def test_an_alert_that_answers_what_is_said_in_the_clear_is_told(probe: Prober, check: Any) -> None:
    def alert(connection: socket.socket) -> None:
        connection.recv(5000)
        connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46")

    with answering(alert) as port:
        outcome = probe(port, {check: {}} if isinstance(check, str) else check)
    assert isinstance(outcome, Failed)
    assert outcome.detail.startswith("what answered speaks TLS: "), outcome


def test_a_server_that_never_answers_the_handshake_times_out(probe: Prober) -> None:
    def silent(connection: socket.socket) -> None:
        while connection.recv(5000):
            pass

    with answering(silent) as port:
        outcome = probe(port, {"tls": {}}, 0.2)
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.detail) == (Reason.TIMEOUT, "TLS handshake not done in time")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_several_pages_come_over_one_connection(
    authority: Authority, probe: Prober, scheme: str
) -> None:
    context = context_of(authority.issue(NAME)) if scheme == "https" else None
    tls = {"tls": {"name": NAME, "ca_file": authority.ca}} if context else {}
    digest = hashlib.sha256(PAGE).hexdigest()
    requests = [
        {"path": "/", "digest": {"sha256": digest}},
        {"path": "/nowhere", "status": 404},
        {"path": "/", "contains": "well"},
    ]
    with pages(context) as server:
        spec = {"requests": requests} | tls
        kept = probe(port_of(server), {scheme: spec})
        after_kept = server.connections
        single = probe(port_of(server), {scheme: spec | {"keep_alive": False}})
        assert isinstance(kept, Passed), kept
        assert isinstance(single, Passed), single
        assert (after_kept, server.connections - after_kept) == (1, 3)
        wrong = probe(port_of(server), {scheme: {"requests": [{}, {"path": "/x"}]} | tls})
    assert isinstance(wrong, Failed)
    assert wrong.detail == "GET /x: status 404, wanted 200-299"


def test_redirects_bodies_methods_versions_and_secrets(probe: Prober, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("Bearer s3cret\n")
    secret = {"path": "/private", "headers_files": {"Authorization": str(token)}}
    with pages() as server:
        port = port_of(server)
        assert reason(probe(port, {"http": {"path": "/moved"}})) is Reason.STATUS
        for spec in (
            {"path": "/moved", "redirects": 1, "contains": "well"},
            {"method": "POST", "body": "abc", "status": 201, "contains": "cba"},
            {"method": "PUT", "body": "abc", "status": 201},
            {"version": "1.0", "contains": "well"},
            secret,
        ):
            outcome = probe(port, {"http": spec})
            assert isinstance(outcome, Passed), (spec, outcome)
        token.write_text("Bearer other")
        assert reason(probe(port, {"http": secret})) is Reason.STATUS
        token.unlink()
        assert isinstance(probe(port, {"http": secret}), Errored)

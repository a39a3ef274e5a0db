"""Whatever a backend sends in place of TLS, or amidst it, ends in an input or in a wait."""

import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.health.authority import Authority

from libra_health.shell.contexts import Contexts
from libra_health.shell.tls import Session
from libra_health.wire import Ended, Received, Secured, Tls, Unsecured

NAME = "www.example.net"
FLIGHTS = 10
"""Exchanges within which a handshake and a short answer are over."""

RECORD = st.builds(
    lambda kind, version, body: bytes((kind, 3, version)) + len(body).to_bytes(2, "big") + body,
    st.sampled_from([20, 21, 22, 23, 24, 0]),
    st.integers(0, 4),
    st.binary(max_size=60),
)
PIECES = st.lists(st.binary(max_size=40) | RECORD, max_size=8)
Mangle = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(authority: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue(NAME))
    return context


def begun(tls: Tls) -> Session:
    session = Contexts().session(tls)
    assert isinstance(session, Session)
    return session


@given(PIECES)
def test_any_bytes_in_place_of_a_handshake_are_refused_or_waited_on(pieces: list[bytes]) -> None:
    session = begun(Tls(NAME, verify=False))
    found = session.shake()
    for piece in (*pieces, b""):
        if found is not None:
            break
        session.feed(piece)
        found = session.shake()
        session.outgoing.read()
    assert isinstance(found, Unsecured)
    assert found.detail


def spoken(session: Session, context: ssl.SSLContext, mangle: Mangle) -> set[type]:
    """Let both shake hands and the server say hello, all that it sends mangled."""
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    other = context.wrap_bio(coming, going, server_side=True)
    found: set[type] = set()
    for _ in range(FLIGHTS):
        shaken = session.shake() if Secured not in found else session.read()
        found.add(type(shaken))
        if isinstance(shaken, Unsecured | Received | Ended):
            break
        coming.write(session.outgoing.read())
        try:
            other.do_handshake()
            other.write(b"hello")
        except ssl.SSLError:
            pass
        session.feed(mangle(going.read()) or b"\x00")
    return found


def test_a_handshake_that_nobody_mangles_comes_about(
    authority: Authority, server: ssl.SSLContext
) -> None:
    found = spoken(begun(Tls(NAME, ca=authority.ca)), server, lambda data: data)
    assert {Secured, Received} <= found


@settings(deadline=None)
@given(st.integers(0, 3000), st.integers(1, 255), st.sampled_from(["flip", "cut", "repeat"]))
def test_a_handshake_mangled_anywhere_is_no_crash(
    authority: Authority, server: ssl.SSLContext, place: int, mask: int, how: str
) -> None:
    seen = 0

    def mangle(data: bytes) -> bytes:
        nonlocal seen
        at, seen = place - seen, seen + len(data)
        if not 0 <= at < len(data):
            return data
        if how == "flip":
            return data[:at] + bytes((data[at] ^ mask,)) + data[at + 1 :]
        return data[:at] if how == "cut" else data[:at] + data[max(0, at - mask) :]

    found = spoken(begun(Tls(NAME, ca=authority.ca)), server, mangle)
    assert found <= {Secured, Unsecured, Received, Ended, type(None)}


@pytest.fixture
def renegotiator(authority: Authority) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start OpenSSL's own server: it says what it is told, and at R asks for a new handshake."""
    certificate = authority.issue(NAME)
    command = ["openssl", "s_server", "-tls1_2", "-cert", certificate, "-key", certificate]
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with subprocess.Popen(
        [*command, "-accept", f"127.0.0.1:{port}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        while (line := process.stdout.readline()) != b"ACCEPT\n":
            assert line, "the server ended"
        yield process, port
        process.kill()


def test_a_server_that_wants_a_new_handshake_midway_stops_nobody(
    authority: Authority, renegotiator: tuple[subprocess.Popen[bytes], int]
) -> None:
    server, port = renegotiator
    assert server.stdin is not None
    session = begun(Tls(NAME, ca=authority.ca))
    with socket.create_connection(("127.0.0.1", port), 20) as sock:
        while session.shake() is None:
            sock.sendall(session.outgoing.read())
            session.feed(sock.recv(65536))
        sock.sendall(session.outgoing.read() or b"")
        found: set[type] = set()
        for line in (b"hello\n", b"R\n"):
            server.stdin.write(line)
            server.stdin.flush()
            session.feed(sock.recv(65536))
            found.add(type(session.read()))
        assert found == {Received, type(None)}
        assert session.write(b"more") is None
        assert session.outgoing.read()

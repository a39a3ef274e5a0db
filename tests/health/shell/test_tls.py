import os
import resource
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from libra_health.outcome import Reason
from libra_health.shell import contexts as keeping
from libra_health.shell.contexts import Contexts
from libra_health.shell.tls import Session
from libra_health.wire import Ended, Received, Secured, Tls, Unsecured

DAYS = 24 * 3600


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for `web.example` that signs itself, and its key."""
    where = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7"),
            *("-subj", "/CN=web.example", "-addext", "subjectAltName=DNS:web.example"),
            *("-keyout", where / "key.pem", "-out", where / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )
    return where


@contextmanager
def served(files: Path, talk: Callable[[ssl.SSLSocket], None]) -> Iterator[socket.socket]:
    """Give the client's end of a connection whose other end speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files / "cert.pem", files / "key.pem")
    ours, theirs = socket.socketpair()
    ours.settimeout(10)

    def serve() -> None:
        try:
            with context.wrap_socket(theirs, server_side=True) as secured:
                talk(secured)
        except OSError:
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    with ours:
        yield ours
    thread.join(10)


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def trust(patch: pytest.MonkeyPatch, file: Path, directory: str = "/absent") -> None:
    """Have this machine trust a file's certificates, and a directory's."""
    patch.setenv("SSL_CERT_FILE", str(file))
    patch.setenv("SSL_CERT_DIR", directory)


def begun(tls: Tls) -> Session:
    session = Contexts().session(tls)
    assert isinstance(session, Session)
    return session


def shaken(session: Session, sock: socket.socket) -> Secured | Unsecured:
    while True:
        found = session.shake()
        sock.sendall(session.outgoing.read())
        if found is not None:
            return found
        session.feed(sock.recv(65536))


def heard(session: Session, sock: socket.socket) -> Received | Ended | Unsecured:
    while (found := session.read()) is None:
        session.feed(sock.recv(65536))
    return found


def test_what_is_said_is_enciphered_and_what_comes_is_deciphered(files: Path) -> None:
    def echo(secured: ssl.SSLSocket) -> None:
        secured.sendall(secured.recv(100)[::-1])
        secured.unwrap()

    with served(files, echo) as sock:
        session = begun(Tls("web.example", ca=str(files / "cert.pem")))
        secured = shaken(session, sock)
        assert isinstance(secured, Secured)
        assert secured.left is not None
        assert 6 * DAYS < secured.left <= 7 * DAYS
        assert secured.version.startswith("TLSv1.")
        session.write(b"abc")
        sock.sendall(session.outgoing.read())
        assert heard(session, sock) == Received(b"cba")
        assert heard(session, sock) == Ended()


@pytest.mark.parametrize(
    ("name", "ca", "detail"),
    [
        ("other.example", "cert.pem", "Hostname mismatch"),
        ("web.example", "", "self-signed certificate"),
    ],
)
def test_a_certificate_that_is_not_the_backends_is_refused(
    files: Path, name: str, ca: str, detail: str
) -> None:
    with served(files, lambda _: None) as sock:
        found = shaken(begun(Tls(name, ca=str(files / ca) if ca else "")), sock)
    assert isinstance(found, Unsecured)
    assert found.reason is Reason.CERTIFICATE
    assert detail in found.detail


def test_without_verification_any_certificate_will_do(files: Path) -> None:
    with served(files, lambda _: None) as sock:
        found = shaken(begun(Tls("other.example", verify=False)), sock)
    assert isinstance(found, Secured)
    assert found.left is None


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", bytes(50)])
def test_what_speaks_no_tls_is_told_so(said: bytes) -> None:
    session = begun(Tls("web.example"))
    assert session.shake() is None
    session.feed(said)
    found = session.shake()
    assert isinstance(found, Unsecured)
    assert found.reason is Reason.TLS


def test_a_file_of_ours_that_is_wrong_is_our_trouble(files: Path, tmp_path: Path) -> None:
    contexts = Contexts()
    (tmp_path / "none.pem").write_text("no PEM at all")
    absent = contexts.session(Tls("a", ca=str(tmp_path / "absent.pem")))
    wrong = contexts.session(Tls("a", ca=str(tmp_path / "none.pem")))
    keyless = contexts.session(Tls("a", certificate=str(files / "cert.pem")))
    for found, named in ((absent, "absent.pem"), (wrong, "none.pem"), (keyless, "cert.pem")):
        assert isinstance(found, Unsecured)
        assert found.reason is Reason.LOCAL
        assert named in found.detail


def test_a_key_with_a_passphrase_asks_nobody(files: Path, tmp_path: Path) -> None:
    subprocess.run(
        [
            *("openssl", "rsa", "-aes128", "-passout", "pass:secret"),
            *("-in", files / "key.pem", "-out", tmp_path / "key.pem"),
        ],
        check=True,
        capture_output=True,
    )
    tls = Tls("a", certificate=str(files / "cert.pem"), key=str(tmp_path / "key.pem"))
    found = Contexts().session(tls)
    assert isinstance(found, Unsecured)
    assert "passphrase" in found.detail


def test_a_file_that_changes_is_read_anew(files: Path, tmp_path: Path) -> None:
    contexts, ca = Contexts(), tmp_path / "ca.pem"
    ca.write_bytes((files / "cert.pem").read_bytes())
    tls = Tls("web.example", ca=str(ca))
    assert isinstance(contexts.session(tls), Session)
    ca.write_text("broken")
    assert isinstance(contexts.session(tls), Unsecured)


def test_while_descriptors_are_out_it_is_our_trouble_and_not_afterwards(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(monkeypatch, files / "cert.pem")
    contexts = Contexts()
    with no_descriptor_left():
        found = contexts.session(Tls("web.example"))
    assert isinstance(found, Unsecured)
    assert found.reason is Reason.LOCAL
    assert "cert.pem: too many open files" in found.detail
    with served(files, lambda _: None) as sock:
        session = contexts.session(Tls("web.example"))
        assert isinstance(session, Session)
        assert isinstance(shaken(session, sock), Secured)


@pytest.mark.parametrize("directory", ["/absent", "{empty}"])
def test_a_machine_that_trusts_nobody_is_our_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, directory: str
) -> None:
    trust(monkeypatch, tmp_path / "absent.pem", directory.format(empty=tmp_path))
    found = Contexts().session(Tls("web.example"))
    assert found == Unsecured(Reason.LOCAL, "TLS files: no trusted certificates could be read")


def test_a_directory_of_trusted_certificates_will_do(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cert.pem").write_bytes((files / "cert.pem").read_bytes())
    subprocess.run(["openssl", "rehash", tmp_path], check=True, capture_output=True)
    trust(monkeypatch, tmp_path / "absent.pem", f"/absent:{tmp_path}")
    with served(files, lambda _: None) as sock:
        assert isinstance(shaken(begun(Tls("web.example")), sock), Secured)


@pytest.mark.parametrize("which", ["ca", "certificate", "key"])
def test_a_fifo_holds_nothing_up(files: Path, tmp_path: Path, which: str) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    good = Tls("a", ca=str(files / "cert.pem"), certificate=str(files / "cert.pem"))
    changes: dict[str, Any] = {"key": str(files / "key.pem"), which: str(fifo)}
    tls = replace(good, **changes)
    found: list[Session | Unsecured] = []
    asking = threading.Thread(
        target=lambda: found.append(Contexts().session(tls)),
        daemon=True,
    )
    asking.start()
    asking.join(10)
    assert found == [Unsecured(Reason.LOCAL, f"TLS files {fifo}: is no regular file")]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Tls]:
    """Note what contexts are read from files."""
    asked: list[Tls] = []
    read = keeping._context

    def noted(tls: Tls) -> ssl.SSLContext:
        asked.append(tls)
        return read(tls)

    monkeypatch.setattr(keeping, "_context", noted)
    return asked


def test_what_differs_in_names_alone_is_read_once(files: Path, made: list[Tls]) -> None:
    contexts, ca = Contexts(), str(files / "cert.pem")
    for n in range(300):
        contexts.session(Tls(f"{n}.example", ca=ca, alpn=("http/1.1", f"x{n}")))
    assert len(made) == 1


def test_each_session_offers_its_own_protocols(files: Path) -> None:
    contexts, ca = Contexts(), str(files / "cert.pem")
    asked = [Tls("web.example", ca=ca, alpn=alpn) for alpn in (("h2",), ("http/1.1",), ())]
    sessions = [contexts.session(tls) for tls in asked]
    hellos = []
    for session in sessions:
        assert isinstance(session, Session)
        assert session.shake() is None
        hellos.append(session.outgoing.read())
    assert [b"\x02h2" in hellos[0], *(b"http/1.1" in hello for hello in hellos)] == [
        *(True, False, True, False)
    ]


@pytest.mark.parametrize("bound", ["KEPT", "TRUSTED"])
@pytest.mark.parametrize("number", [20, 22])
def test_contexts_beyond_the_bound_cost_their_share_and_are_told_of_once(
    files: Path,
    tmp_path: Path,
    made: list[Tls],
    monkeypatch: pytest.MonkeyPatch,
    bound: str,
    number: int,
) -> None:
    monkeypatch.setattr(keeping, bound, 20)
    contexts, asked = Contexts(), [Tls("a", ca=str(tmp_path / f"{n}.pem")) for n in range(number)]
    for tls in asked:
        Path(tls.ca).write_bytes((files / "cert.pem").read_bytes())
    with capture_logs() as said:
        for tls in asked * 20:
            contexts.session(tls)
    if number == 20:
        assert (len(made), said) == (20, [])
        return
    # 440 where the longest unused goes, which is the next to be asked
    assert 60 <= len(made) <= 200
    assert [each["event"] for each in said] == ["TLS files are read anew at many runs"]
    assert said[0]["kept"] == 20


def test_a_file_that_changes_is_no_sign_of_too_many(files: Path, tmp_path: Path) -> None:
    contexts, ca = Contexts(), tmp_path / "ca.pem"
    with capture_logs() as said:
        for n in range(3):
            ca.write_bytes((files / "cert.pem").read_bytes())
            os.utime(ca, (n, n))
            assert isinstance(contexts.session(Tls("web.example", ca=str(ca))), Session)
    assert said == []

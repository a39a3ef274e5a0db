"""Servers that mean no good: none is listened to for longer than its check's timeout."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.daemons.process import Daemon
from tests.health.servers.conftest import Ask

from libra_health.outcome import Failed, Reason


@contextmanager
def served(speak: Callable[[socket.socket], None]) -> Iterator[Daemon]:
    """Let `speak` talk to the first who connects, until it ends or he goes."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.settimeout(10)
            speak(connection)
            while connection.recv(4096):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield Daemon(listener.getsockname()[1], Path("/dev/null"))
        thread.join(10)
        assert not thread.is_alive()


def endless(piece: bytes) -> Callable[[socket.socket], None]:
    def speak(connection: socket.socket) -> None:
        while True:
            connection.sendall(piece)

    return speak


BIND = b"\x30\x0c\x02\x01\x02\x61\x07\x0a\x01\x00\x04\x00\x04\x00"
SETTINGS = b"\0\0\0\x04\0\0\0\0\0"
REFERENCE = b"\x30\x09\x02\x01\x03\x73\x04\x04\x02ld"


@pytest.mark.parametrize(
    ("check", "speak", "reason"),
    [
        pytest.param("smtp", endless(b"220-welcome\r\n"), Reason.OVERSIZED, id="endless lines"),
        pytest.param("smtp", endless(b"220 " + b"x" * 999), Reason.OVERSIZED, id="endless line"),
        pytest.param("smtp", endless(b"\0" * 999), Reason.OVERSIZED, id="zeros instead of mail"),
        pytest.param("ldap", endless(b"\xff" * 999), Reason.MALFORMED, id="no BER"),
        pytest.param("ldap", endless(b"\x30\x84\x7f\xff\xff\xff"), Reason.OVERSIZED, id="2 GB"),
        pytest.param("ldap", endless(b"\x30\x82\xff\0" + b"x" * 999), Reason.MALFORMED, id="no id"),
        pytest.param(
            {"ldap": {"base": ""}},
            lambda connection: (connection.sendall(BIND), endless(REFERENCE * 999)(connection)),
            Reason.OVERSIZED,
            id="endless references",
        ),
        pytest.param("grpc", endless(b"\xff" * 999), Reason.MALFORMED, id="no HTTP/2"),
        pytest.param("grpc", endless(SETTINGS), Reason.OVERSIZED, id="endless settings"),
        pytest.param(
            "grpc",
            lambda c: (c.sendall(SETTINGS), endless(b"\0\x40\0\x63" + bytes(16389))(c)),
            Reason.OVERSIZED,
            id="endless frames of no kind",
        ),
        pytest.param("grpc", lambda c: c.sendall(SETTINGS), Reason.TIMEOUT, id="settings only"),
        pytest.param(
            {"dns": {"transport": "tcp"}}, endless(b"\xff" * 999), Reason.MALFORMED, id="no DNS"
        ),
        pytest.param(
            {"dns": {"transport": "tcp"}}, lambda c: c.sendall(b"\xff\xffx"), Reason.TIMEOUT,
            id="half an answer",
        ),
        pytest.param("smtp", lambda c: c.sendall(b"220-x\r\n"), Reason.TIMEOUT, id="half a reply"),
        pytest.param("ldap", lambda c: c.sendall(BIND[:9]), Reason.TIMEOUT, id="half a bind"),
    ],
)  # fmt: skip
def test_who_says_too_much_or_too_little_fails(
    ask: Ask, check: object, speak: Callable[[socket.socket], None], reason: Reason
) -> None:
    with served(speak) as server:
        outcome = ask(server, check, timeout=0.5)
    assert isinstance(outcome, Failed), outcome
    assert outcome.reason == reason, outcome


def test_a_name_server_that_answers_everything_but_the_question_fails(ask: Ask) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)

        def babble() -> None:
            query, asker = server.recvfrom(512)
            with suppress(OSError):  # the asker is gone
                for _ in range(2000):
                    server.sendto(bytes((query[0] ^ 1,)) + query[1:], asker)

        thread = threading.Thread(target=babble)
        thread.start()
        outcome = ask(Daemon(server.getsockname()[1], Path("/dev/null")), "dns")
        thread.join(10)
    assert isinstance(outcome, Failed)
    assert outcome.reason == Reason.MALFORMED
    assert outcome.detail.startswith("no answer to what was asked: '")

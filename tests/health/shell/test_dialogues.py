"""Dialogues and presets against the servers they are for."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.daemons.dovecot import dovecot
from tests.daemons.mariadb import mariadb
from tests.daemons.postgresql import postgresql
from tests.daemons.process import Daemon, folder, prepare
from tests.daemons.redis import redis
from tests.daemons.slapd import slapd
from tests.daemons.smtp import smtp
from tests.daemons.vsftpd import vsftpd
from tests.health.shell.driven import outcome_of

from libra_health.asked.tcp import asked
from libra_health.outcome import Failed, Outcome, Passed, Reason
from libra_health.wire import Origin, Target
from libra_schemas import config as written


@contextmanager
def imap() -> Iterator[Daemon]:
    with dovecot() as (daemon, _):
        yield daemon


@contextmanager
def pop3() -> Iterator[Daemon]:
    with dovecot() as (_, daemon):
        yield daemon


def logging_postgresql() -> AbstractContextManager[Daemon]:
    return postgresql("log_connections=on", "log_min_messages=info")


def told(
    daemon: Daemon, spec: dict[str, Any], timeout: float = 60.0, origin: str = "127.0.0.1"
) -> Outcome:
    """Run a check as the config has it."""
    target = Target(daemon.address, daemon.port, Origin(origin))
    return outcome_of(target, asked(written.TcpSpec.model_validate(spec), target), timeout)


SERVERS: dict[str, tuple[Callable[[], AbstractContextManager[Daemon]], str, str]] = {
    "smtp": (smtp, "<< b'221 Bye'", "Traceback"),
    "imap": (imap, "imap-login: Info: Disconnected: Aborted login by logging out", "Error"),
    "pop3": (pop3, "pop3-login: Info: Disconnected: Aborted login by logging out", "Error"),
    "ftp": (vsftpd, 'FTP response: Client "127.0.0.1", "221 Goodbye."', "FAIL"),
    "ldap": (slapd, "UNBIND", "error"),
    "redis": (redis, "", "rror"),
    "mysql": (mariadb, "Access denied for user 'libra'", "[ERROR]"),
    "postgresql": (logging_postgresql, "connection received", "incomplete"),
}
"""Server, what its log says after three checks each time, and what it never says."""


@pytest.mark.parametrize("name", SERVERS)
def test_a_preset_passes_its_server_and_parts_in_good_order(name: str) -> None:
    server, parting, blame = SERVERS[name]
    with server() as daemon:
        outcomes = [told(daemon, {"preset": name}) for _ in range(3)]
        log = daemon.has_told(parting, 3)
    assert [type(each) for each in outcomes] == [Passed] * 3, outcomes
    assert blame not in log


@pytest.mark.parametrize("name", ["imap", "pop3", "ldap", "redis", "mysql", "postgresql"])
def test_a_preset_fails_a_server_of_another_kind(name: str) -> None:
    with vsftpd() as daemon:
        outcome = told(daemon, {"preset": name})
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.MALFORMED
    assert "'220 (vsFTPd" in outcome.detail


def admitted(daemon: Daemon) -> socket.socket:
    """Be the one client of a redis-server that takes one: whoever waited for it may linger."""
    while True:
        client = socket.create_connection((daemon.address, daemon.port))
        client.sendall(b"PING\r\n")
        if client.recv(100) == b"+PONG\r\n":
            return client
        client.close()


def test_a_server_that_is_full_says_so() -> None:
    with redis("", "--maxclients", "1") as daemon:
        with admitted(daemon):
            outcome = told(daemon, {"preset": "redis"})
        assert isinstance(outcome, Failed)
        assert outcome.reason is Reason.STATUS
        assert "-ERR max number of clients reached" in outcome.detail


def test_a_server_that_wants_a_password_works() -> None:
    with redis("secret") as daemon:
        assert isinstance(told(daemon, {"preset": "redis"}), Passed)
    with slapd("disallow bind_anon") as daemon:
        assert isinstance(told(daemon, {"preset": "ldap"}), Passed)
        assert "err=48" in daemon.has_told("RESULT tag=97")


NODE = "127.0.0.9"
"""An address that mariadbd does not take for its own host."""


def test_mysql_never_locks_the_node_out_as_broken_handshakes_do() -> None:
    app = "CREATE USER app@'%' IDENTIFIED BY 'x';"
    with mariadb("--max-connect-errors=2", sql=app) as daemon:
        polite = [told(daemon, {"preset": "mysql"}, origin=NODE) for _ in range(6)]
        for _ in range(3):
            told(daemon, {"expect_hex": "0a"}, origin=NODE)
        blocked = told(daemon, {"preset": "mysql"}, origin=NODE)
    assert {type(each) for each in polite} == {Passed}
    assert isinstance(blocked, Failed)
    assert blocked.reason is Reason.STATUS
    assert re.match(rf"step 1 of 2: error 1129: 'Host \\?'{NODE}\\?' is blocked", blocked.detail)


def test_postgresql_may_offer_tls() -> None:
    with folder() as where:
        make = "openssl req -x509 -newkey rsa:2048 -nodes -days 7 -subj /CN=x -keyout key -out cert"
        prepare(make.split(), where)
        files = (f"ssl_cert_file={where}/cert", f"ssl_key_file={where}/key")
        with postgresql("ssl=on", *files) as daemon:
            assert isinstance(told(daemon, {"preset": "postgresql"}), Passed)
            assert isinstance(told(daemon, {"send_hex": "0000000804d2162f", "expect": "S"}), Passed)


MAIL = [
    {"expect": "^220 .*\n"},
    {"send": "EHLO libra\r\n", "expect": "(?m)^250 .*\n"},
    {"send": "NOOP\r\nVRFY ada\r\n", "expect": "^250 .*\n"},
    {"expect": "^252 .*\n"},
    {"send": "QUIT\r\n", "expect": "^221 "},
]


def test_a_dialogue_of_several_steps_is_held() -> None:
    with smtp() as daemon:
        assert isinstance(told(daemon, {"exchanges": MAIL}), Passed)
        assert "b'VRFY ada'" in daemon.has_told("221 Bye")


def test_the_step_that_fails_is_told() -> None:
    steps = [MAIL[0], {"send": "NONSENSE\r\n", "expect": "^250 "}]
    with smtp() as daemon:
        outcome = told(daemon, {"exchanges": steps}, 0.5)
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.TIMEOUT
    assert outcome.detail.startswith("step 2 of 2: no answer in time; /^250 / not in '500 Error:")


def test_a_dialogue_in_hex_is_held() -> None:
    ping = {"send_hex": b"*1\r\n$4\r\nPING\r\n".hex(), "expect_hex": "2b 50 4f 4e 47 0d 0a"}
    with redis() as daemon:
        assert isinstance(told(daemon, ping), Passed)
        assert isinstance(told(daemon, {"exchanges": [ping, ping]}), Passed)


def test_mysql_writes_nothing_where_the_check_has_a_user() -> None:
    with mariadb(sql="CREATE USER libra@'%';") as daemon:
        before = daemon.has_told("ready for connections")
        outcomes = [told(daemon, {"preset": "mysql"}) for _ in range(3)]
        told(daemon, {"expect_hex": "0a"})
        log = daemon.has_told("without authentication", before.count("without authentication") + 1)
    assert {type(each) for each in outcomes} == {Passed}
    assert "user: 'libra'" not in log
    assert "Access denied" not in log


@contextmanager
def hostile(*, piece: bytes, pause: float) -> Iterator[Daemon]:
    """Serve one client, that is sent the same piece for ever."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                while True:
                    connection.sendall(piece)
                    time.sleep(pause)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield Daemon(server.getsockname()[1], Path("/dev/null"))
        thread.join(60)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"preset": "smtp"}, Reason.OVERSIZED),
        ({"preset": "imap"}, Reason.MALFORMED),
        ({"preset": "mysql"}, Reason.MALFORMED),
        ({"exchanges": [{"expect": "220-"}, {"expect": "221"}]}, Reason.OVERSIZED),
    ],
)
def test_a_server_that_never_ends_is_cut_off(spec: dict[str, Any], reason: Reason) -> None:
    with hostile(piece=b"220-and so on\r\n" * 100, pause=0) as daemon:
        outcome = told(daemon, spec)
    assert isinstance(outcome, Failed)
    assert outcome.reason is reason


@pytest.mark.parametrize("spec", [{"preset": "smtp"}, {"exchanges": [{"expect": "221"}]}])
def test_a_server_that_drips_has_the_time_of_its_check(spec: dict[str, Any]) -> None:
    with hostile(piece=b"2", pause=0.05) as daemon:
        outcome = told(daemon, spec, 0.4)
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.TIMEOUT
    assert 0.4 <= outcome.latency < 30

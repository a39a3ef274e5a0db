"""Every daemon comes up, answers, and is gone afterwards."""

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from tests.daemons.dovecot import dovecot
from tests.daemons.mariadb import mariadb
from tests.daemons.nsd import nsd
from tests.daemons.postgresql import postgresql
from tests.daemons.process import Daemon, NotStarted, folder, free_port, running
from tests.daemons.redis import redis
from tests.daemons.slapd import slapd
from tests.daemons.smtp import smtp
from tests.daemons.vsftpd import vsftpd

Start = Callable[[], AbstractContextManager[Daemon | tuple[Daemon, Daemon]]]


@pytest.mark.parametrize(
    "start",
    [redis, slapd, vsftpd, dovecot, mariadb, postgresql, smtp, nsd],
    ids=lambda each: each.__name__,
)
def test_a_daemon_is_there_within_its_block_only(start: Start) -> None:
    with start() as started:
        daemons = started if isinstance(started, tuple) else (started,)
        for each in daemons:
            socket.create_connection((each.address, each.port)).close()
    for each in daemons:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((each.address, each.port))
        assert not each.log.exists()


def test_a_daemon_that_cannot_start_says_why() -> None:
    command = ["redis-server", "--port", "no port"]
    with (
        folder() as where,
        pytest.raises(NotStarted, match="FATAL CONFIG FILE ERROR"),
        running(command, where, free_port()),
    ):
        pass

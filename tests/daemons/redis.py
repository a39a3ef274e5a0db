"""redis-server (Debian: redis-server)."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.daemons.process import Daemon, folder, free_port, running


@contextmanager
def redis(password: str = "", *options: str) -> Iterator[Daemon]:
    """Run redis-server, which asks for *password* where there is one."""
    with folder() as where:
        port = free_port()
        secret = ["--requirepass", password] if password else []
        command = [
            "redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(where),
            "--save", "", "--appendonly", "no", *secret, *options,
        ]  # fmt: skip
        with running(command, where, port) as daemon:
            yield daemon

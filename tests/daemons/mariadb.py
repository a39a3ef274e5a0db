"""mariadbd (Debian: mariadb-server-core), with its system tables and no users but its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.daemons.process import Daemon, folder, free_port, prepare, put, running

_SQL = Path("/usr/share/mysql")
_TABLES = ("system_tables.sql", "system_tables_data.sql")
_SMALL = ("--innodb-log-file-size=4M", "--innodb-flush-log-at-trx-commit=0")


def _text(name: str) -> str:
    """Read a file of the distribution, as the newer versions name it or as the older ones do."""
    found = (_SQL / f"{brand}_{name}" for brand in ("mariadb", "mysql"))
    return next(path for path in found if path.exists()).read_text()


@contextmanager
def mariadb(*options: str, sql: str = "") -> Iterator[Daemon]:
    """Run mariadbd with further *options*, once it has run *sql* on its fresh system tables."""
    with folder() as where:
        data, port = where / "data", free_port()
        base = ["/usr/sbin/mariadbd", "--no-defaults", f"--datadir={data}", *_SMALL]
        texts = [_text(name) for name in _TABLES]
        after = ["FLUSH PRIVILEGES;", sql, ""]
        first = "\n".join(["CREATE DATABASE mysql;", "USE mysql;", *texts, *after])
        prepare(["mkdir", data], where)
        prepare([*base, "--bootstrap"], where, put(where / "sql", first))
        listen = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={where}/s"]
        with running([*base, *listen, *options], where, port) as daemon:
            yield daemon

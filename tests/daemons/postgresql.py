"""postgres (Debian: postgresql), an empty cluster that trusts everybody on loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.daemons.process import Daemon, folder, free_port, prepare, running


def _programs() -> Path:
    """Find the newest version's programs."""
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    return max(versions, key=lambda path: float(path.parent.name))


@contextmanager
def postgresql(*options: str) -> Iterator[Daemon]:
    """Run postgres with further *options*, each `name=value` of postgresql.conf."""
    programs = _programs()
    with folder() as where:
        data, port = where / "data", free_port()
        prepare(
            [programs / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync",
             "--locale=C", "-E", "UTF8"],
            where,
        )  # fmt: skip
        settings = [f"unix_socket_directories={where}", "fsync=off", f"port={port}", *options]
        command = [str(programs / "postgres"), "-D", str(data), "-h", "127.0.0.1"]
        for each in settings:
            command += ["-c", each]
        with running(command, where, port) as daemon:
            yield daemon

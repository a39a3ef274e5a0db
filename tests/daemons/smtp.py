"""aiosmtpd (Python: aiosmtpd), an SMTP server that takes every mail and keeps none."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.daemons.process import Daemon, folder, free_port, running


@contextmanager
def smtp() -> Iterator[Daemon]:
    """Run aiosmtpd, which says on its log what it was told."""
    with folder() as where:
        port = free_port()
        command = [sys.executable, "-m", "aiosmtpd", "-n", "-d", "-d", "-l", f"127.0.0.1:{port}"]
        with running(command, where, port) as daemon:
            yield daemon

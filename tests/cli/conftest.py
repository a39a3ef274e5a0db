"""A node on this host: `libra up --only console` in a real process, on free ports."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from libra_cli.site import Site
from libra_cli.testing import Host, Up
from libra_runtime.nats_server import free_port


@pytest.fixture
def host() -> Iterator[Host]:
    """Give a node a directory that its unprivileged processes may enter.

    pytest closes its own to other users, again whenever another session begins.
    """
    with TemporaryDirectory(prefix="libra-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        nats = f"nats://127.0.0.1:{free_port()}"
        yield Host(directory, Site("a", directory / "state", directory / "run", nats))


@pytest.fixture
def up(host: Host) -> Iterator[Up]:
    """Run nats-server and the console of node a until the test ends."""
    process = host.start("up", "--only", "console", "--metrics", "0")
    running = Up(process, [])
    try:
        running.read_until("node a is up")
        yield running
    finally:
        if process.poll() is None:
            running.end()

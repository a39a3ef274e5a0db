"""A node on this host: `libra up --only console` in a real process, on free ports."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from libra_cli.site import Site
from libra_cli.testing import Host, Up
from libra_runtime.nats_server import free_port


@pytest.fixture
def host(tmp_path: Path) -> Host:
    tmp_path.chmod(0o755)
    for parent in list(tmp_path.parents)[:2]:
        parent.chmod(0o755)
    site = Site("a", tmp_path / "state", tmp_path / "run", f"nats://127.0.0.1:{free_port()}")
    return Host(tmp_path, site)


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

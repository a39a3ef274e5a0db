"""One check against a real server, through the real driver."""

import queue
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from tests.daemons.process import Daemon, folder, put

from libra_health.asked import spec_of
from libra_health.outcome import Outcome
from libra_health.probes import Changes, Probe
from libra_health.shell.drive import Driver
from libra_health.wire import Target
from libra_schemas.config import CheckConfig

PATIENCE = 60.0


class Ask(Protocol):
    """Run a check, as it is written in a config, once against a daemon."""

    def __call__(self, daemon: Daemon, check: Any, timeout: float = PATIENCE / 2) -> Outcome:
        """Give its outcome."""


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Run a check, as it is written in a config, once against a daemon."""
    reports: queue.Queue[Outcome] = queue.Queue()
    died: list[BaseException] = []
    driver = Driver(lambda _probe, outcome, _now: reports.put(outcome), died.append)
    driver.start()

    def asked(daemon: Daemon, check: Any, timeout: float = PATIENCE / 2) -> Outcome:
        written = CheckConfig.model_validate(check)
        target = Target(daemon.address, daemon.port)
        probe = Probe(target, spec_of(written, target), PATIENCE, timeout)
        driver.call(lambda: driver.apply(Changes((), (probe,), ()), spread=False))
        outcome = reports.get(timeout=PATIENCE)
        driver.call(lambda: driver.apply(Changes((probe,), (), ()), spread=False))
        return outcome

    yield asked
    driver.stop()
    assert died == []


@pytest.fixture(scope="module")
def pem() -> Iterator[tuple[Path, Path]]:
    """Make a certificate for `server.example` that signs itself, and its key."""
    with folder() as where:
        files = put(where / "cert.pem", ""), put(where / "key.pem", "")
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7"),
                *("-subj", "/CN=server.example", "-addext", "subjectAltName=DNS:server.example"),
                *("-keyout", files[1], "-out", files[0]),
            ],
            check=True,
            capture_output=True,
        )
        yield files

"""What compose and its containers say, and what must not change meanwhile."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.compose.deployment import (
    DR,
    KEPT,
    PATIENCE,
    PROJECT,
    ROOT,
    SYSTEM_COMPOSE,
    Deployment,
    complaint,
    container_of,
    docker,
)

from libra_lab.probe import Probe
from libra_lab.waiting import wait_until

OTHER = "other"
"""A second director's project."""

REFUSED = (
    "the NATS server of nats://127.0.0.1:4222 refuses the key of node a: stop it where it is "
    "another director's (`ss -ltnp 'sport = :4222'` on the host names it); where keys were made "
    "anew restart it, then whom it refuses"
)


def compose(
    *words: str, project: str = PROJECT, program: str = SYSTEM_COMPOSE, **setting: str
) -> tuple[int, str]:
    """Run a compose with a setting; give its exit status and all it said."""
    done = subprocess.run(
        [program, "-p", project, *words],
        cwd=ROOT,
        env={**os.environ, **setting},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def log(service: str, project: str = PROJECT) -> list[str]:
    """Give the lines of a container's newest life, as `docker-compose logs` has them."""
    container = container_of(service, project)
    since = docker("inspect", "-f", "{{.State.StartedAt}}", container).strip()
    done = subprocess.run(
        ["docker", "logs", "--since", since, container],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True,
    )  # fmt: skip
    assert "Traceback" not in done.stdout
    return done.stdout.splitlines()


def await_sentence(service: str, sentence: str, project: str = PROJECT) -> None:
    """Wait until the health check says *sentence*, and nothing beside it."""
    what = f"{service} says {sentence!r}"
    wait_until(lambda: complaint(f"{project}_{service}_1") == sentence, what, PATIENCE, 0.5)


def told_once(service: str, words: str) -> bool:
    """Tell whether a container's log has these words; once is enough."""
    found = sum(words in line for line in log(service))
    assert found <= 1, log(service)
    return found == 1


def nats() -> list[str]:
    """Give all that nats-server said, over all its lives."""
    done = subprocess.run(
        ["docker", "logs", f"{PROJECT}_nats_1"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


def state_of(project: str) -> Path:
    """Return the volume of a project's state, where it lies on the host."""
    volume = docker("volume", "inspect", "-f", "{{.Mountpoint}}", f"{project}_state")
    return Path(volume.strip())


def lives(services: Sequence[str]) -> dict[str, str]:
    """Tell since when each container runs, and as which process."""
    shape = "{{.State.StartedAt}} {{.State.Pid}} {{.State.Status}}"
    return {name: docker("inspect", "-f", shape, f"{PROJECT}_{name}_1") for name in services}


@contextmanager
def undisturbed(director: Deployment, services: Sequence[str] = KEPT) -> Iterator[None]:
    """Require that containers run on, the table stays, and every client is answered."""
    before, table, owned = lives(services), director.ipvsadm(), director.owns_address()
    with Probe(director.client, DR, interval=0.2, timeout=15) as probe:
        yield
        probe.wait_for(10, 60)
    assert probe.failures() == []
    assert lives(services) == before
    assert director.ipvsadm() == table
    assert director.owns_address() == owned

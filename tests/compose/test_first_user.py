"""A first user: a fresh copy of the repository, no variable set, the five lines of the README."""

import os
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.compose.deployment import (
    FACTS,
    KEPT,
    NAT,
    PATIENCE,
    PROJECT,
    ROOT,
    answer,
    docker,
    documented_rule,
)

from libra_lab.client import fetch
from libra_lab.commands import run
from libra_lab.node import Node
from libra_lab.serving import ready, start
from libra_lab.topology import Topology
from libra_lab.waiting import wait_until

pytestmark = pytest.mark.timeout(600)

ENGINE = Path("/run/engine")


@dataclass
class Checkout:
    """A copy of the repository, and what its user sees from there."""

    folder: Path
    client: Node
    said: str = ""

    def shell(self, script: str) -> str:
        """Run lines as typed, with docker-compose 1.29 in place of v2; return what they printed."""
        typed = script.replace("docker compose", "docker-compose")
        environ = {key: os.environ[key] for key in os.environ if not key.startswith("LIBRA_")}
        done = subprocess.run(
            ["bash", "-e", "-c", typed], cwd=self.folder, env=environ, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout

    def libra(self, words: str) -> str:
        """Run the command as the README types it."""
        return self.shell(f"docker compose run --rm -T libra {words} 2>/dev/null")

    def edit(self, before: str, after: str) -> None:
        """Change the config as editors do: another file takes the name."""
        file = self.folder / "libra.yaml"
        text = file.read_text()
        assert before in text
        (self.folder / "libra.yaml~").write_text(text.replace(before, after))
        (self.folder / "libra.yaml~").rename(file)

    def container(self, service: str) -> str:
        """Give the name of a service's container."""
        return f"{self.folder.name}_{service}_1"

    def inspect(self, shape: str) -> list[str]:
        """Ask the engine about every container that stays."""
        names = [self.container(service) for service in KEPT]
        return docker("inspect", "-f", shape, *names).splitlines()

    def await_healthy(self) -> None:
        """Wait until the engine calls every container healthy."""
        healthy = ["healthy"] * len(KEPT)
        wait_until(lambda: self.inspect("{{.State.Health.Status}}") == healthy, "healthy", PATIENCE)

    def await_answer(self) -> float:
        """Wait until a real server answers the client; return how long it took in seconds."""
        return wait_until(lambda: answer(self.client, NAT, 1.0) != "", "an answer", PATIENCE)


def five_lines() -> str:
    """Read the quick start from deploy/README.md; the front page has the same."""
    block = re.compile(r"```sh\n(modprobe ip_vs .*?)```", re.DOTALL)
    texts = [(ROOT / name).read_text() for name in ("deploy/README.md", "README.md")]
    (deploy,), (front,) = (block.findall(text) for text in texts)
    assert deploy == front
    assert len(deploy.splitlines()) == 5
    return str(deploy)


def copy(folder: Path) -> None:
    """Write the last commit's files to *folder*, as a clone would."""
    argv = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "archive", "HEAD"]
    files = subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=files, check=True)


def serve(network: Topology) -> None:
    """Have the example's real servers answer, unless they do."""
    for name in ("n1", "n2"):
        node = network.nodes[name]
        try:
            fetch(node, "http://127.0.0.1/", 5.0)
        except OSError:
            ready(start(node, "http", name, 80))


@pytest.fixture(scope="module")
def rule() -> Iterator[None]:
    """Let the real servers' answers pass, as deploy/README.md says."""
    words = documented_rule()
    run(words)
    yield
    run([word.replace("-I", "-D") for word in words])


@pytest.fixture(scope="module")
def first(
    network: Topology, rule: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Checkout]:
    """Type the five lines, and take the director away in the end."""
    assert rule is None
    if docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={PROJECT}"):
        subprocess.run(["docker-compose", "-p", PROJECT, "down"], cwd=ROOT, check=True)
        run(["ipvsadm", "-C"])
    serve(network)
    folder = tmp_path_factory.mktemp("first") / "balancer"
    folder.mkdir()
    copy(folder)
    made = Checkout(folder, network.nodes["client"])
    began = time.monotonic()
    made.said = made.shell(five_lines())
    FACTS.append(f"the five lines: {time.monotonic() - began:.1f} s")
    yield made
    made.shell("docker compose down -v")


def table() -> list[str]:
    """Return the kernel's table as ipvsadm saves it."""
    return run(["ipvsadm", "-Sn"]).splitlines()


def test_the_five_lines_bring_up_a_director_that_balances(first: Checkout) -> None:
    assert "a: " in first.said
    status = "docker compose run --rm -T libra status"
    wait_until(lambda: "a: revision 1" in first.shell(status), "the config is in force", PATIENCE)
    assert "192.0.2.10" in first.shell(status)
    first.await_healthy()
    first.await_answer()
    wait_until(lambda: len(table()) == 3, "two backends", PATIENCE)
    answers = Counter(answer(first.client, NAT) for _ in range(8))
    assert answers.keys() == {"n1", "n2"}


def test_an_edited_config_is_taken_over_and_restarts_nothing(first: Checkout) -> None:
    running = first.inspect("{{.Id}} {{.State.StartedAt}}")
    first.edit("scheduler: wlc", "scheduler: rr")
    first.shell("docker compose up -d")
    wait_until(lambda: table()[0].endswith("-s rr"), "up takes the file over", PATIENCE)
    assert Counter(answer(first.client, NAT) for _ in range(8)) == {"n1": 4, "n2": 4}
    first.edit("scheduler: rr", "scheduler: wrr")
    assert "revision 3 is in force" in first.libra("apply libra.yaml")
    wait_until(lambda: table()[0].endswith("-s wrr"), "apply sends the file", PATIENCE)
    assert first.inspect("{{.Id}} {{.State.StartedAt}}") == running


def test_the_commands_say_what_is(first: Checkout) -> None:
    assert first.libra("replay --format ipvsadm").splitlines() == table()
    assert first.libra("check libra.yaml").startswith("libra.yaml is valid: 1 node, 1 instance")
    events = first.libra("events")
    assert re.findall(r"config (\d) of \S.* is in force", events) == ["1", "2", "3"]


def test_an_interface_that_the_host_lacks_is_named(first: Checkout) -> None:
    first.edit("interface: eth0", "interface: eth9")
    first.libra("apply libra.yaml")
    lacking = "interface eth9 does not exist"
    wait_until(lambda: lacking in first.libra("status"), lacking, PATIENCE)
    first.edit("interface: eth9", "interface: eth0")
    first.libra("apply libra.yaml")
    first.await_answer()


@pytest.fixture(scope="session")
def restart_engine(engine: None) -> Iterator[Callable[[], None]]:
    """Give a way to end dockerd as a reboot does, and start it anew."""
    assert engine is None
    begun: list[subprocess.Popen[bytes]] = []

    def restart() -> None:
        pid = int((ENGINE / "pid").read_text())
        argv = Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
        os.kill(pid, 15)
        wait_until(lambda: not (ENGINE / "pid").exists(), "dockerd ends", PATIENCE)
        with (ENGINE / "log.again").open("wb") as log:
            begun.append(subprocess.Popen(argv, stdout=log, stderr=log))
        asked = ["docker", "version"]
        up = lambda: subprocess.run(asked, capture_output=True, check=False).returncode == 0  # noqa: E731
        wait_until(up, "dockerd answers", PATIENCE, 0.5)

    yield restart
    for process in begun:
        process.terminate()
        process.wait(60)


def test_a_restarted_engine_brings_everything_back(
    first: Checkout, restart_engine: Callable[[], None]
) -> None:
    before, held = first.libra("events").splitlines(), table()
    restart_engine()
    took = first.await_answer()
    FACTS.append(f"dockerd restarted: the first answer after {took:.1f} s")
    first.await_healthy()
    assert table() == held
    after = first.libra("events").splitlines()
    assert after[: len(before)] == before
    assert first.libra("replay --format ipvsadm").splitlines() == held
    news = "\n".join(after[len(before) :])
    assert "vrrp.master" in news
    assert "table.changed" not in news


def test_without_a_variable_the_example_comes_up(first: Checkout) -> None:
    first.shell("docker compose down")
    (first.folder / ".env").rename(first.folder / "env.away")
    first.shell("docker compose up -d")
    first.await_answer()
    assert first.libra("status").startswith("a: revision")
    (first.folder / "env.away").rename(first.folder / ".env")


def test_the_other_node_comes_up_with_its_name_alone(first: Checkout) -> None:
    first.shell("docker compose down")
    first.edit("nodes:\n", "nodes:\n  b: {address: 10.0.0.3}\n")
    first.shell("LIBRA_NODE=b docker compose up -d")
    first.await_answer()
    said = first.shell("LIBRA_NODE=b docker compose run --rm -T libra status 2>/dev/null")
    assert said.startswith("b: revision 1")

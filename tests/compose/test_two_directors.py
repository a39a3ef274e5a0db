"""Two directors on one host, and ports that others have: the first goes on, the reason is told."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest
from tests.compose.deployment import (
    CONFIG,
    DR,
    KEPT,
    PATIENCE,
    PROJECT,
    ROOT,
    SERVICES,
    Deployment,
    docker,
)
from tests.compose.observed import (
    OTHER,
    REFUSED,
    await_sentence,
    compose,
    log,
    nats,
    state_of,
    told_once,
    undisturbed,
)

from libra_lab.waiting import wait_until
from libra_runtime.settings import METRICS_PORTS

pytestmark = pytest.mark.timeout(600)

FOREIGN = "is taken by something that is no nats-server"


def who_has(port: int) -> str:
    """Give the words that tell how to find who listens."""
    return f"stop it (`ss -ltnp 'sport = :{port}'` on the host names it)"


@contextmanager
def occupied(port: int, host: str) -> Iterator[None]:
    """Have another process's web server say 200 to whatever is asked on *port*."""
    program = Path("/tmp/occupant.py")  # noqa: S108 - the guest's own
    program.write_text(OCCUPANT)
    with subprocess.Popen(
        [".venv/bin/python", str(program), host, str(port)], cwd=ROOT, stdout=subprocess.PIPE
    ) as occupant:
        assert occupant.stdout is not None
        assert occupant.stdout.readline() == b"listening\n"
        try:
            yield
        finally:
            occupant.terminate()


def test_a_second_director_ends_with_the_reason_and_the_first_goes_on(running: Deployment) -> None:
    """The other one has routers of its own from an earlier time, and would take the address."""
    routers = state_of(PROJECT) / "a/vrrp/routers.jsonl"
    compose("run", "--rm", "-T", "--no-deps", "init", project=OTHER)
    kept = state_of(OTHER) / "a/vrrp/routers.jsonl"
    kept.parent.mkdir()
    kept.parent.chmod(0o775)
    os.chown(kept.parent, 0, 65534)
    kept.write_bytes(routers.read_bytes())
    transitions = [each["id"] for each in running.events("vrrp.master", "vrrp.fault")]
    try:
        with undisturbed(running):
            status, _ = compose("up", "-d", project=OTHER)
            assert status == 1
            assert log("streams", OTHER) == [f"libra: {REFUSED}"]
            await_sentence(
                "vrrp",
                f"127.0.0.1:9642 is taken by a process outside this container: {who_has(9642)}",
                OTHER,
            )
            rival = "another libra-vrrp works in this network namespace: stop it"
            said = f"{rival} (`ss -xlp` on the host names who listens on @libra-vrrp)"
            wait_until(
                lambda: any(said in line for line in log("vrrp", OTHER)), "the other yields", 60
            )
            second = ("ps", "--filter", f"name={OTHER}_nats")
            wait_until(lambda: "Restarting" in docker(*second), "its nats-server ends", 60)
            compose("down", "-v", "-t", "5", project=OTHER)
    finally:
        compose("down", "-v", "-t", "5", project=OTHER)
    assert [each["id"] for each in running.events("vrrp.master", "vrrp.fault")] == transitions


def test_a_director_of_another_node_names_the_server_it_met(running: Deployment) -> None:
    with undisturbed(running):
        for stage in ("init", "streams"):
            words = ("run", "-T", "--no-deps", "--name", f"{OTHER}_{stage}_1", stage)
            status, _ = compose(*words, project=OTHER, LIBRA_NODE="b")
    said = log("streams", OTHER)
    compose("down", "-v", "--remove-orphans", project=OTHER)
    assert status == 3
    assert said == [
        "libra: nats://127.0.0.1:4222 is the NATS server 'a', not node b's: " + who_has(4222)
    ]


def test_libra_up_beside_a_director_names_what_has_its_ports(
    running: Deployment, tmp_path: Path
) -> None:
    config = tmp_path / "libra.yaml"
    config.write_text(CONFIG)
    words = [".venv/bin/libra", "up", "--config", str(config), "--node", "b"]
    words += ["--state", str(tmp_path / "state"), "--run", str(tmp_path / "run")]
    with undisturbed(running):
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    pattern = r"127.0.0.1:(\d+) for .+ is taken by \S+ \(process \d+\): stop that, or choose .+"
    taken = [re.fullmatch(f"(?:libra: )?{pattern}", line) for line in done.stderr.splitlines()]
    assert {int(each[1]) for each in taken if each} == {4222, *METRICS_PORTS.values()}
    assert all(taken), done.stderr


def test_ports_of_nats_that_others_have_end_up(running: Deployment) -> None:
    compose("stop", "nats")
    others = [name for name in KEPT if name != "nats"]
    with undisturbed(running, others):
        with occupied(4222, "0.0.0.0"):
            status, _ = compose("up", "-d")
            assert status == 1
            assert log("streams") == [f"libra: 127.0.0.1:4222 {FOREIGN}: {who_has(4222)}"]
            assert any("127.0.0.1:4222: bind: address already in use" in each for each in nats())
        compose("stop", "nats")
        with occupied(4222, "127.0.0.1"):
            status, told = compose("run", "--rm", "-T", "--no-deps", "streams")
            assert status == 4
            assert f"127.0.0.1:4222 {FOREIGN}: {who_has(4222)}" in told
        compose("stop", "nats")
        with occupied(8222, "127.0.0.1"):
            status, _ = compose("up", "-d")
            assert status == 1
            blocked = f"{FOREIGN}, so node a's does not start: {who_has(8222)}"
            monitoring = "127.0.0.1:8222 for nats-server's monitoring"
            assert log("streams") == [f"libra: {monitoring} {blocked}"]
        status, told = compose("up", "-d")
        assert status == 0, told
        running.await_well(*KEPT)


def test_ports_of_services_that_others_have_are_told_and_the_work_goes_on(
    running: Deployment,
) -> None:
    """A web server that says 200 to everybody is not taken for the service."""
    compose("stop", *SERVICES)
    with ExitStack() as occupants:
        for port in METRICS_PORTS.values():
            occupants.enter_context(occupied(port, "0.0.0.0"))
        status, told = compose("up", "-d")
        assert status == 0, told
        for service, port in METRICS_PORTS.items():
            sentence = f"127.0.0.1:{port} is taken by a process outside this container"
            await_sentence(service, f"{sentence}: {who_has(port)}")
            why = f"127.0.0.1:{port}: Address already in use: stop what has it"
            said = f"{service} says why"
            wait_until(partial(told_once, service, why), said, PATIENCE, 0.5)
        running.await_answer(DR)
    running.await_well(*KEPT)
    assert {docker("inspect", "-f", "{{.RestartCount}}", f"{PROJECT}_{each}_1").strip()
            for each in SERVICES} == {"0"}  # fmt: skip


OCCUPANT = """\
import http.server, sys

class Says(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"healthy\\n")

    def log_message(self, *_):
        pass

with http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Says) as server:
    print("listening", flush=True)
    server.serve_forever()
"""

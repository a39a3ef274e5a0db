"""What is wrong is said in one sentence with the way to mend it, and disturbs nothing that runs."""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.compose.deployment import (
    CONFIG,
    DR,
    KEPT,
    PATIENCE,
    PROJECT,
    ROOT,
    SERVICES,
    Deployment,
    complaint,
    docker,
)
from tools.compose import resolve

from libra_lab.commands import run
from libra_lab.probe import Probe
from libra_lab.waiting import wait_until
from libra_runtime.settings import METRICS_PORTS

pytestmark = pytest.mark.timeout(600)

OTHER = "other"
"""A second director's project."""

BROKEN = """\
version: 1
nodes: {a: {address: 192.0.2.1}}
instances:
  front: {interface: eth0, vrid: 510, priority: {a: 150, q: 1}, addresses: [192.0.2.10/24]}
services:
  nat: {address: 192.0.2.10:80, schedule: rr}
"""
UNKNOWN = "unknown key 'schedule' (did you mean scheduler?)"
ERRORS = [
    "/etc/libra/libra.yaml:4:34: instances.front.vrid: expected a whole number from 1 to 255",
    "/etc/libra/libra.yaml:4:58: instances.front.priority.q: no node is called 'q' (known: a)",
    f"/etc/libra/libra.yaml:6:33: services.nat.schedule: {UNKNOWN}",
    "3 errors",
]


REFUSED = (
    "the NATS server of nats://127.0.0.1:4222 refuses the key of node a: stop it where it is "
    "another director's (`ss -ltnp 'sport = :4222'` on the host names it); where keys were made "
    "anew restart it, then whom it refuses"
)
DIRECTORY = (
    "is a directory; compose makes one where LIBRA_CONFIG names a file that does not exist: remove "
    "it, and name the file"
)
FOREIGN = "is taken by something that is no nats-server"


def compose(*words: str, project: str = PROJECT, **setting: str) -> tuple[int, str]:
    """Run docker-compose with a setting; give its exit status and all it said."""
    done = subprocess.run(
        ["docker-compose", "-p", project, *words],
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
    container = f"{project}_{service}_1"
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


def who_has(port: int) -> str:
    """Give the words that tell how to find who listens."""
    return f"stop it (`ss -ltnp 'sport = :{port}'` on the host names it)"


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


@pytest.mark.parametrize(
    ("setting", "where", "sentences"),
    [
        pytest.param(
            {"LIBRA_CONFIG": "{folder}/nowhere.yaml"},
            "up",
            ["bind source path does not exist: {folder}/nowhere.yaml"],
            id="missing file",
        ),
        pytest.param(
            {"LIBRA_CONFIG": "{folder}/directory"},
            "init",
            [
                f"/etc/libra/libra.yaml:1:1: {DIRECTORY}",
                "1 error",
            ],
            id="directory",
        ),
        pytest.param(
            {"LIBRA_NODE": "zz"},
            "init",
            ["libra: the config has no node 'zz': name one it has with --node or LIBRA_NODE, a, b"],
            id="unknown node",
        ),
        pytest.param({"LIBRA_CONFIG": "{folder}/broken.yaml"}, "init", ERRORS, id="errors"),
    ],
)
def test_a_config_that_cannot_be_ends_up_and_touches_nothing(
    running: Deployment, tmp_path: Path, setting: dict[str, str], where: str, sentences: list[str]
) -> None:
    for parent in (tmp_path, *tmp_path.parents):
        parent.chmod(parent.stat().st_mode | 0o055)
    (tmp_path / "directory").mkdir()
    (tmp_path / "broken.yaml").write_text(BROKEN)
    given = {name: value.format(folder=tmp_path) for name, value in setting.items()}
    with undisturbed(running):
        status, told = compose("up", "-d", **given)
    assert status == 1
    said = log("init") if where == "init" else told.splitlines()
    for sentence in (each.format(folder=tmp_path) for each in sentences):
        assert any(sentence in line for line in said), said
    assert where == "up" or said == sentences
    assert not (tmp_path / "nowhere.yaml").exists()


def test_newer_composes_show_the_errors_themselves(running: Deployment, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text(BROKEN)
    words = [str(resolve.PINNED), "-p", OTHER]
    setting = {**os.environ, "LIBRA_CONFIG": str(tmp_path / "broken.yaml")}
    with undisturbed(running):
        done = subprocess.run(
            [*words, "up"], cwd=ROOT, env=setting, capture_output=True, text=True, check=False
        )
    subprocess.run([*words, "down", "-v"], cwd=ROOT, env=setting, capture_output=True, check=True)
    assert done.returncode == 1
    told = (done.stdout + done.stderr).splitlines()
    assert [line.partition("| ")[2] for line in told if line.startswith("init-1  | ")] == ERRORS


def test_a_config_that_only_its_owner_may_read_is_told_so(
    running: Deployment, tmp_path: Path
) -> None:
    config = tmp_path / "libra.yaml"
    config.write_text(CONFIG)
    config.chmod(0o600)
    os.chown(config, 1000, 1000)
    words = ("run", "--rm", "-T", "--no-deps")
    with undisturbed(running):
        status, told = compose(*words, "init", LIBRA_CONFIG=str(config))
        assert status != 0
        assert "libra.yaml: only its owner may read it; run `chmod a+r` on it" in told
        status, told = compose(*words, "libra", "apply", "libra.yaml", LIBRA_CONFIG=str(config))
        assert status != 0
        assert "cannot be read: Permission denied; run `chmod a+r` on it" in told


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


def nats() -> list[str]:
    """Give all that nats-server said, over all its lives."""
    done = subprocess.run(
        ["docker", "logs", f"{PROJECT}_nats_1"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


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


def told_once(service: str, words: str) -> bool:
    """Tell whether a container's log has these words; once is enough."""
    found = sum(words in line for line in log(service))
    assert found <= 1, log(service)
    return found == 1


def test_a_kernel_without_ipvs_is_told_and_waited_for(running: Deployment) -> None:
    table = running.ipvsadm()
    compose("stop", "ipvs-writer")
    hook = Path("/proc/sys/kernel/modprobe")
    loader = hook.read_text().strip()
    try:
        hook.write_text("/bin/false")
        unload_ipvs()
        compose("up", "-d")
        missing = "This kernel has no IPVS: load it with `modprobe ip_vs` (the module is part of "
        sentence = f"{missing}the distribution's full kernel package)."
        await_sentence("ipvs-writer", sentence)
        assert told_once("ipvs-writer", missing)
        run([loader, "ip_vs"])
        scheduler = "load it with `modprobe ip_vs_rr`"
        wait_until(
            lambda: scheduler in running.complaint("ipvs-writer"),
            "the scheduler is missing",
            PATIENCE,
        )
    finally:
        hook.write_text(loader)
    running.await_well("ipvs-writer")
    assert docker("inspect", "-f", "{{.RestartCount}}", f"{PROJECT}_ipvs-writer_1").strip() == "0"
    wait_until(lambda: running.ipvsadm() == table, "the table is back", PATIENCE)
    running.await_answer(DR)


def unload_ipvs() -> None:
    """Take IPVS out of the kernel."""
    run(["ipvsadm", "-C"])
    for role in ("master", "backup"):
        subprocess.run(["ipvsadm", "--stop-daemon", role], capture_output=True, check=False)
    loaded = [line.split()[0] for line in Path("/proc/modules").read_text().splitlines()]
    run(["rmmod", *(each for each in loaded if each.startswith("ip_vs_")), "ip_vs"])


NO_MOUNT = "/host/proc/sys/net is missing: mount the host's /proc/sys/net there"


@pytest.mark.parametrize(
    ("service", "less", "sentence"),
    [
        pytest.param(
            "vrrp",
            {"cap_add": ["NET_RAW"]},
            "libra-vrrp lacks CAP_NET_RAW: run it as root and, in a container, with "
            "`cap_add: [NET_RAW]`",
            id="vrrp without NET_RAW",
        ),
        pytest.param(
            "vrrp",
            {"cap_add": ["NET_ADMIN"]},
            "libra-vrrp lacks CAP_NET_ADMIN: run it as root and, in a container, with "
            "`cap_add: [NET_ADMIN]`",
            id="vrrp without NET_ADMIN",
        ),
        pytest.param(
            "vrrp",
            {"cap_add": ["SETUID"]},
            "libra-vrrp lacks CAP_SETUID: run it as root and, in a container, with "
            "`cap_add: [SETUID]`",
            id="vrrp without SETUID",
        ),
        pytest.param(
            "vrrp",
            {"volumes": ["/proc/sys/net:/host/proc/sys/net"]},
            f"front is in fault: {NO_MOUNT}",
            id="vrrp without sysctls",
        ),
        pytest.param(
            "ipvs-writer",
            {"cap_add": ["NET_ADMIN"]},
            "The IPVS table needs CAP_NET_ADMIN: run as root with `--cap-add NET_ADMIN`.",
            id="ipvs-writer without NET_ADMIN",
        ),
        pytest.param(
            "ipvs-writer",
            {"volumes": ["/proc/sys/net:/host/proc/sys/net"]},
            f"{NO_MOUNT}; meanwhile net.ipv4.vs.expire_nodest_conn and others are neither set nor "
            "verified.",
            id="ipvs-writer without sysctls",
        ),
    ],
)
def test_a_container_that_may_too_little_says_what_it_lacks(
    running: Deployment, tmp_path: Path, service: str, less: dict[str, list[str]], sentence: str
) -> None:
    table = running.ipvsadm()
    described = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    container: dict[str, Any] = described["services"][service]
    for key, gone in less.items():
        container[key] = [each for each in container[key] if each not in gone]
    file = tmp_path / "docker-compose.yml"
    file.write_text(yaml.safe_dump(described))
    words = ("--project-directory", str(ROOT), "-f", str(file), "up", "-d", "--no-deps", service)
    try:
        assert compose(*words)[0] == 0
        await_sentence(service, sentence)
        assert len(log(service)) < 10
        state = docker("inspect", "-f", "{{.RestartCount}}", f"{PROJECT}_{service}_1").strip()
        assert state == "0"
        assert running.ipvsadm() == table
    finally:
        running.compose("up", "-d")
    running.await_well(service)
    running.await_answer(DR)


def test_a_broken_server_configuration_is_named_and_made_anew(running: Deployment) -> None:
    with (state_of(PROJECT) / "a/nats.conf").open("a") as file:
        file.write("max_paylod: 1\n")
    try:
        compose("restart", "nats")
        said = re.compile(r"nats-server: /var/lib/libra/a/nats.conf:\d+:\d+: unknown field .+")
        wait_until(lambda: any(map(said.fullmatch, nats())), "the place is named", PATIENCE)
    finally:
        status, told = compose("up", "-d")
    assert status == 0, told
    running.await_well(*KEPT)


def test_keys_that_are_gone_are_made_anew_and_the_way_to_go_on_is_named(
    running: Deployment,
) -> None:
    seeds = state_of(PROJECT) / "a/seeds"
    (seeds / "console.seed").write_text("no seed\n")
    with undisturbed(running):
        assert compose("up", "-d")[0] == 1
        [sentence] = log("init")
        assert "/var/lib/libra/a/seeds/console.seed: this is no nkey seed" in sentence
        assert sentence.endswith("; remove it, a new one is made")
        for seed in seeds.glob("*.seed"):
            seed.unlink()
        assert compose("up", "-d")[0] == 1
        assert log("streams") == [f"libra: {REFUSED}"]
    compose("restart", "nats", "vrrp")
    assert compose("up", "-d")[0] == 0
    running.await_well(*KEPT)


def state_of(project: str) -> Path:
    """Return the volume of a project's state, where it lies on the host."""
    volume = docker("volume", "inspect", "-f", "{{.Mountpoint}}", f"{project}_state")
    return Path(volume.strip())


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

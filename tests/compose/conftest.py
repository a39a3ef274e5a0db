"""A director from the unmodified docker-compose.yml, on the lab's kernel: `make test-compose`.

The guest's first network namespace is the host that the engine runs on. Real servers, a client and
the operators' machine are namespaces beside it; a switch in a namespace of its own joins them, out
of reach of the engine's packet filter.
"""

import contextlib
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.compose.deployment import (
    CONFIG,
    DR,
    FACTS,
    KEPT,
    PATIENCE,
    ROOT,
    Deployment,
    docker,
    documented_rule,
)

from libra_lab.commands import run
from libra_lab.demo.config import HOOK_PORT, SECRET
from libra_lab.demo.peers import Ops
from libra_lab.node import Node
from libra_lab.serving import ready, start
from libra_lab.syscalls import mount
from libra_lab.topology import Topology
from libra_lab.waiting import wait_until

collect_ignore_glob = [] if "LIBRA_COMPOSE" in os.environ else ["test_*.py"]
"""`make test` leaves these alone: they need images, which `make test-compose` makes."""

IMAGES = ROOT / ".state" / "compose" / "images.tar"
ENGINE = Path("/run/engine")


def mount_cgroups() -> None:
    """Mount the controllers that the engine wants, each where it looks for it (cgroups(7)).

    All but `cpu`: in its groups this kernel gives no real-time priority (CONFIG_RT_GROUP_SCHED),
    which distributions' kernels leave off and vrrp takes.
    """
    with contextlib.suppress(OSError):
        mount("cgroup", "/sys/fs/cgroup", "tmpfs")
    for line in Path("/proc/cgroups").read_text().splitlines()[1:]:
        name, _, _, enabled = line.split()
        if enabled == "1" and name != "cpu":
            Path("/sys/fs/cgroup", name).mkdir(exist_ok=True)
            mount("cgroup", f"/sys/fs/cgroup/{name}", "cgroup", options=name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that were seen on the way."""
    for fact in FACTS:
        terminalreporter.write_line(fact)


@pytest.fixture(scope="session")
def engine() -> Iterator[None]:
    """Run a Docker engine as installed, on the guest's packet filter, with our images in it."""
    programs = ENGINE / "programs"
    programs.mkdir(parents=True)
    for name in ("iptables", "ip6tables"):
        (programs / name).symlink_to(f"/usr/sbin/{name}-legacy")
    os.environ["PATH"] = f"{programs}:{os.environ['PATH']}"
    os.environ["DOCKER_HOST"] = f"unix://{ENGINE}/docker.sock"
    os.environ["COMPOSE_HTTP_TIMEOUT"] = "300"
    (ENGINE / "data").mkdir()
    mount("tmpfs", str(ENGINE / "data"), "tmpfs", options="size=75%")
    mount_cgroups()
    argv = ["dockerd", "-H", os.environ["DOCKER_HOST"], "--pidfile", f"{ENGINE}/pid"]
    argv += ["--data-root", f"{ENGINE}/data", "--exec-root", f"{ENGINE}/exec"]
    with (ENGINE / "log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        wait_until(lambda: engine_answers(process), "dockerd answers", PATIENCE, 0.5)
        docker("load", "-q", "-i", str(IMAGES))
        yield
    finally:
        process.terminate()
        process.wait(60)


def engine_answers(process: "subprocess.Popen[bytes]") -> bool:
    """Tell whether the engine is there; fail where it ended."""
    assert process.poll() is None, (ENGINE / "log").read_text()[-2000:]
    asked = subprocess.run(["docker", "version"], capture_output=True, check=False)
    return asked.returncode == 0


@pytest.fixture(scope="session")
def network(engine: None) -> Iterator[Topology]:
    """Lay client, real servers and the operators' machine beside the host."""
    assert engine is None
    with Topology() as topology:
        front, back = topology.network("front"), topology.network("back")
        run(["ip", "netns", "attach", "host", str(os.getpid())])
        host = Node("host", "host")
        topology.plug(host, "eth0", front, "192.0.2.1/24")
        topology.plug(host, "eth1", back, "10.0.1.1/24")
        host.sysctl({"net.ipv4.ip_forward": 1})
        topology.node("client", {"eth0": (front, "192.0.2.100/24")})
        topology.node("ops", {"eth0": (front, "192.0.2.99/24")})
        for number in (1, 2):
            address = f"10.0.1.1{number}/24"
            topology.node(f"n{number}", {"eth0": (back, address)}, gateway="10.0.1.1")
        quiet = {"net.ipv4.conf.all.arp_ignore": 1, "net.ipv4.conf.all.arp_announce": 2}
        for number in (1, 2, 3):
            interfaces = {"eth0": (front, f"192.0.2.2{number}/24")}
            node = topology.node(f"d{number}", interfaces, sysctls=quiet)
            node.ip("addr add 192.0.2.10/32 dev lo")
        yield topology


def start_servers(nodes: Sequence[Node]) -> dict[str, "subprocess.Popen[str]"]:
    """Start a web server on each of the real servers."""
    ports = {"n": 80, "d": 8080}
    started = {node.name: start(node, "http", node.name, ports[node.name[0]]) for node in nodes}
    ready(*started.values())
    return started


@pytest.fixture(scope="session")
def director(network: Topology, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Bring the director up with the config of this test."""
    folder = tmp_path_factory.mktemp("director")
    for parent in (folder, *folder.parents):
        parent.chmod(parent.stat().st_mode | 0o055)
    secrets = folder / "secrets"
    secrets.mkdir()
    (folder / "libra.yaml").write_text(CONFIG)
    (secrets / "hook.url").write_text(f"http://192.0.2.99:{HOOK_PORT}/hook\n")
    (secrets / "hook.key").write_text(f"{SECRET}\n")
    os.environ["LIBRA_CONFIG"] = str(folder / "libra.yaml")
    os.environ["LIBRA_SECRETS"] = str(secrets)
    ops = Ops()
    ops.start(network.nodes["ops"])
    real = {name: node for name, node in network.nodes.items() if re.match(r"[nd]\d", name)}
    servers = start_servers(list(real.values()))
    made = Deployment(network.nodes["client"], real, servers, ops)
    began = time.monotonic()
    made.compose("up", "-d")
    up = time.monotonic() - began
    made.await_answer(DR)
    FACTS.append(f"up: {up:.1f} s; to the first answer: {time.monotonic() - began:.1f} s")
    return made


@pytest.fixture(scope="module")
def running(director: Deployment) -> Iterator[Deployment]:
    """Give the director with the real servers' way back open, so that all of it can be well.

    Other modules may have taken it down.
    """
    rule = documented_rule()
    run(rule)
    director.compose("up", "-d")
    director.await_well(*KEPT)
    yield director
    run([word.replace("-I", "-D") for word in rule])

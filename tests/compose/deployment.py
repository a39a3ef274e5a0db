"""What docker-compose made on the lab's kernel, and how tests look at it."""

import contextlib
import json
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.compose import resolve

from libra_lab.client import fetch
from libra_lab.commands import run
from libra_lab.demo.config import MAIL_PORT
from libra_lab.demo.peers import Ops
from libra_lab.node import Node
from libra_lab.waiting import wait_until

ROOT = Path(__file__).parents[2]
KEPT = ("console", "health", "ipvs-writer", "notifier", "vrrp", "nats")
"""Containers that stay up."""

SERVICES = ("console", "health", "ipvs-writer", "notifier", "vrrp")
PROJECT = "libra"
SYSTEM_COMPOSE, PINNED_COMPOSE = str(resolve.SYSTEM), str(resolve.PINNED)
"""Debian's docker-compose 1.29, and what `docker compose` runs."""

PATIENCE = 120.0
"""Seconds; the guest has one slow processor."""

FACTS: list[str] = []
"""Figures to print when all is done."""

NAT, DR = "http://192.0.2.10/", "http://192.0.2.10:8080/"
CONFIG = """\
version: 1
nodes: {a: {address: 192.0.2.1}, b: {address: 192.0.2.2}}
instances:
  front: {interface: eth0, vrid: 51, priority: {a: 150, b: 100}, addresses: [192.0.2.10/24]}
services:
  nat:
    address: 192.0.2.10:80
    scheduler: rr
    forward: nat
    check: {http: {path: /healthz}, every: 1s, timeout: 900ms, rise: 1, fall: 2}
    backends: {n1: 10.0.1.11:80, n2: 10.0.1.12:80}
  dr:
    address: 192.0.2.10:8080
    scheduler: rr
    forward: dr
    check: {http: {path: /healthz}, every: 1s, timeout: 900ms, rise: 1, fall: 2}
    backends: {d1: 192.0.2.21:8080, d2: 192.0.2.22:8080, d3: 192.0.2.23:8080}
sync: {role: follow}
notify:
  hook:
    webhook: {url_file: /etc/libra/secrets/hook.url, secret_file: /etc/libra/secrets/hook.key}
    match: ["backend.*", "vrrp.*", "service.*"]
  mail:
    email: {to: [ops@example.net], from: libra@example.net, server: 192.0.2.99, port: MAIL_PORT}
    match: ["backend.*", "vrrp.*"]
""".replace("MAIL_PORT", str(MAIL_PORT))


def docker(*words: str) -> str:
    """Run a docker command; return what it printed, raise CommandFailed."""
    return run(["docker", *words])


@dataclass
class Deployment:
    """What docker-compose made, and everything around it."""

    client: Node
    real: dict[str, Node]
    servers: dict[str, "subprocess.Popen[str]"]
    ops: Ops
    program: str = SYSTEM_COMPOSE

    def compose(self, *words: str) -> str:
        """Run docker-compose as a user does, in the checkout; return what it printed."""
        done = subprocess.run(
            [self.program, "-p", PROJECT, *words],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{self.program} {words}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def libra(self, *words: str) -> str:
        """Run a `libra` command in its container; return what it printed."""
        return self.compose("run", "--rm", "-T", "libra", *words)

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the log's events of these types, each with its sequence."""
        words = [word for kind in kinds for word in ("--type", kind)]
        lines = self.libra("events", "--json", *words).splitlines()
        return [json.loads(line) for line in lines]

    def ipvsadm(self) -> list[str]:
        """Return the kernel's table as ipvsadm saves it."""
        return run(["ipvsadm", "-Sn"]).splitlines()

    def backends(self, service: str) -> list[str]:
        """Return the real servers that the kernel has for a service."""
        rows = [line.split() for line in self.ipvsadm()]
        return [row[4] for row in rows if row[0] == "-a" and row[2] == service]

    def container(self, service: str) -> str:
        """Return the name that compose gave to the container of *service*."""
        return container_of(service)

    def state(self, service: str, shape: str = "{{.State.Status}}") -> str:
        """Return what the engine says of a container."""
        return docker("inspect", "-f", shape, self.container(service)).strip()

    def complaint(self, service: str) -> str:
        """Run the container's own health check now; see `complaint`."""
        return complaint(self.container(service))

    def await_well(self, *services: str) -> float:
        """Wait until the health checks pass; return how long it took in seconds."""
        began = time.monotonic()
        for service in services:
            while self.complaint(service):
                assert time.monotonic() - began < PATIENCE, docker("logs", self.container(service))
                time.sleep(0.5)
        return time.monotonic() - began

    def owns_address(self) -> bool:
        """Tell whether the virtual address is on the host."""
        return "192.0.2.10/" in run(["ip", "-br", "address", "show", "dev", "eth0"])

    def seed(self) -> Path:
        """Return the observer's key, where the volume lies on the host."""
        volume = docker("volume", "inspect", "-f", "{{.Mountpoint}}", f"{PROJECT}_state")
        return Path(volume.strip(), "a", "seeds", "observer.seed")

    def who(self, url: str, requests: int) -> list[str]:
        """Return who answers the client, request for request; nobody is an empty word."""
        return [answer(self.client, url) for _ in range(requests)]

    def await_answer(self, url: str) -> float:
        """Wait until somebody answers the client; return how long it took in seconds."""
        return wait_until(lambda: bool(answer(self.client, url, 1.0)), f"{url} answers", PATIENCE)


def container_of(service: str, project: str = PROJECT) -> str:
    """Return the name that compose gave to a service's container, or we to one that ran once."""
    labels = {"project": project, "service": service}
    chosen = [f"--filter=label=com.docker.compose.{key}={labels[key]}" for key in labels]
    shape = '--format={{.Label "com.docker.compose.oneoff"}} {{.Names}}'
    found = sorted(line.split() for line in docker("ps", "-a", *chosen, shape).splitlines())
    assert found, f"no container of {service}"
    return found[0][1]


def complaint(container: str) -> str:
    """Run a container's own health check now; return its sentence, "" where all is well."""
    check = json.loads(docker("inspect", "-f", "{{json .Config.Healthcheck.Test}}", container))[1:]
    done = subprocess.run(
        ["docker", "exec", container, *check],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    said = done.stdout.strip()
    assert done.returncode != 0 or not said, said
    return said or (f"exit status {done.returncode}" if done.returncode else "")


def answer(client: Node, url: str, timeout: float = 5.0) -> str:
    """Return the name of the real server that answers, or an empty word."""
    with contextlib.suppress(OSError):
        return fetch(client, url, timeout).text
    return ""


def documented_rule() -> list[str]:
    """Read from deploy/README.md the rule that lets real servers' answers pass."""
    found = re.search(r"`(iptables -I DOCKER-USER [^`]+)`", (ROOT / "deploy/README.md").read_text())
    assert found is not None
    return found[1].split()

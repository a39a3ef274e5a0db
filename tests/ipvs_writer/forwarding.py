"""A director that forwards between a client and two real servers, and packet filters to try."""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from libra_lab.node import Node
from libra_lab.topology import Topology

VIP = "192.0.2.10"
DOCUMENT: dict[str, Any] = {
    "version": 1,
    "nodes": {"a": {"address": "192.0.2.1"}},
    "instances": {"front": {"interface": "eth0", "vrid": 51, "addresses": [f"{VIP}/24"]}},
    "services": {
        "web": {
            "address": f"{VIP}:80",
            "scheduler": "rr",
            "assume_up": True,
            "backends": {"n1": "10.0.1.11:80", "n2": "10.0.1.12:80"},
        }
    },
}
RULE = re.compile(r"run `([^`]+)` on the host\.")

DOCKER_28 = """
-N DOCKER
-N DOCKER-BRIDGE
-N DOCKER-CT
-N DOCKER-FORWARD
-N DOCKER-ISOLATION-STAGE-1
-N DOCKER-ISOLATION-STAGE-2
-N DOCKER-USER
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-BRIDGE -o docker0 -j DOCKER
-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-ISOLATION-STAGE-1
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
"""


@dataclass(frozen=True, slots=True)
class Network:
    """The machines; nothing runs on them yet."""

    director: Node
    client: Node
    real: dict[str, Node]


@contextlib.contextmanager
def forwarding() -> Iterator[Network]:
    """Lay the networks of DOCUMENT."""
    with Topology() as topology:
        front, back = topology.network("front"), topology.network("back")
        links = {"eth0": (front, "192.0.2.1/24"), "eth1": (back, "10.0.1.1/24")}
        director = topology.node("a", links, sysctls={"net.ipv4.ip_forward": 1})
        director.ip(f"addr add {VIP}/32 dev eth0")
        real = {
            name: topology.node(name, {"eth0": (back, f"{address}/24")}, gateway="10.0.1.1")
            for name, address in (("n1", "10.0.1.11"), ("n2", "10.0.1.12"))
        }
        client = topology.node("client", {"eth0": (front, "192.0.2.100/24")})
        yield Network(director, client, real)


def choose_packet_filter(variant: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Let `iptables` be that of *variant*, legacy or nft."""
    programs = folder / "programs"
    programs.mkdir()
    for name in ("iptables", "ip6tables"):
        (programs / name).symlink_to(shutil.which(f"{name}-{variant}") or "")
    patch.setenv("PATH", f"{programs}:{os.environ['PATH']}")


def rule(sentence: str) -> str:
    """Take out of a sentence the rule to run."""
    found = RULE.search(sentence)
    assert found, sentence
    return found[1]

"""Answers of NAT that the host's packet filter drops are named with the rule that lets them pass.

The kernel's own filter, real requests, and the writer as a process; what it says is what a client
sees.
"""

import asyncio
import contextlib
import os
import re
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.test_ipvs_process import output, writer

from libra_ipvs_writer.shell.forward import Forward
from libra_lab.client import fetch
from libra_lab.inside import enter
from libra_lab.node import Node
from libra_lab.serving import ready, start
from libra_lab.topology import Topology
from libra_runtime.nats_journal import open_journal
from libra_runtime.stamp import draft
from libra_runtime.streams import Limits
from libra_runtime.testing import TestServer, start_nats
from libra_schemas.canonical import digest
from libra_schemas.config import Config
from libra_schemas.events import ConfigApplied
from libra_schemas.intent.prepared import prepare

pytestmark = pytest.mark.kernel

PATIENCE = 60.0
PORT = 19653
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

DOCKER_20 = """
-N DOCKER
-N DOCKER-USER
-N DOCKER-ISOLATION-STAGE-1
-N DOCKER-ISOLATION-STAGE-2
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
"""
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
GENERAL = "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"


@dataclass
class Site:
    """A director whose namespace is this process's, two real servers and a client."""

    client: Node
    nats: TestServer

    async def answers(self, times: int = 4) -> set[str]:
        """Ask so many times; give who answered."""
        return {await asyncio.to_thread(self.ask) for _ in range(times)}

    def ask(self) -> str:
        with contextlib.suppress(OSError):
            return fetch(self.client, f"http://{VIP}/", 1.5).text
        return ""

    async def health(self) -> str:
        return (await output("curl", "-s", f"http://127.0.0.1:{PORT}/healthz")).strip()

    async def says(self, text: str) -> str:
        """Wait until the health endpoint says it; give the whole sentence."""
        said = ""
        try:
            async with asyncio.timeout(PATIENCE):
                while text not in (said := await self.health()):  # noqa: ASYNC110 - nobody notifies
                    await asyncio.sleep(0.1)
        except TimeoutError:
            pytest.fail(f"still: {said}")
        return said


@contextlib.contextmanager
def laid(tmp_path: Path, variant: str) -> Iterator[tuple[Node, Node]]:
    """Go into a director between client and real servers; `iptables` is that of *variant*.

    Give the client and a real server.
    """
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("iptables", "ip6tables"):
        (programs / name).symlink_to(shutil.which(f"{name}-{variant}") or "")
    with Topology() as topology, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        front, back = topology.network("front"), topology.network("back")
        links = {"eth0": (front, "192.0.2.1/24"), "eth1": (back, "10.0.1.1/24")}
        director = topology.node("a", links, sysctls={"net.ipv4.ip_forward": 1})
        director.ip(f"addr add {VIP}/32 dev eth0")
        real = {
            name: topology.node(name, {"eth0": (back, f"{address}/24")}, gateway="10.0.1.1")
            for name, address in (("n1", "10.0.1.11"), ("n2", "10.0.1.12"))
        }
        client = topology.node("client", {"eth0": (front, "192.0.2.100/24")})
        ready(*(start(node, "http", name, 80) for name, node in real.items()))
        enter(director.namespace)
        yield client, real["n1"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with laid(tmp_path, "legacy") as (client, _):
        nats = start_nats(tmp_path)
        yield Site(client, nats)
        nats.stop()


@asynccontextmanager
async def running(site: Site) -> AsyncIterator[asyncio.subprocess.Process]:
    """Apply the config and run the writer as a process."""
    await site.nats.make_streams(Limits(size=1 << 26))
    console = await open_journal(site.nats.edge("console"))
    data = ConfigApplied(number=1, hash=digest(DOCUMENT), document=DOCUMENT, author="test")
    await console.append(draft("config.applied", ("cluster",), data))
    await console.close()
    async with writer(site.nats, PORT) as process:
        yield process


async def iptables(rules: str) -> None:
    for line in filter(None, rules.splitlines()):
        await run("iptables", *line.split())


async def run(*argv: str) -> None:
    process = await asyncio.create_subprocess_exec(*argv)
    assert await process.wait() == 0, argv


def rule(sentence: str) -> str:
    found = RULE.search(sentence)
    assert found, sentence
    return found[1]


@pytest.mark.parametrize(
    ("chains", "named"),
    [
        pytest.param("", "FORWARD", id="the policy alone"),
        pytest.param(DOCKER_20, "DOCKER-USER", id="docker 20"),
        pytest.param(DOCKER_28, "DOCKER-USER", id="docker 28"),
        pytest.param(GENERAL, "FORWARD", id="what is established passes"),
    ],
)
async def test_dropped_answers_are_named_with_the_rule_that_mends_it(
    site: Site, chains: str, named: str
) -> None:
    async with running(site) as process:
        assert await site.says("healthy") == "healthy"
        assert await site.answers() == {"n1", "n2"}
        await iptables(f"-P FORWARD DROP\n{chains}")
        assert await site.answers(1) == {""}
        sentence = await site.says("packet filter")
        assert (
            "the policy of FORWARD is DROP and no rule accepts 10.0.1.11 (and 1 more)" in sentence
        )
        mend = rule(sentence)
        assert mend == f"iptables -I {named} -s 10.0.1.0/24 -j ACCEPT"
        await run(*mend.split())
        assert await site.answers() == {"n1", "n2"}
        assert await site.says("healthy") == "healthy"
        process.terminate()
        assert process.stderr is not None
        logged = (await process.stderr.read()).decode()
    assert logged.count(mend) == 1


async def test_a_filter_that_drops_is_named_by_the_first_word_of_a_writer_that_starts(
    site: Site,
) -> None:
    await iptables(f"-P FORWARD DROP\n{DOCKER_20}")
    async with running(site):
        first = await site.says("packet filter")
    assert rule(first) == "iptables -I DOCKER-USER -s 10.0.1.0/24 -j ACCEPT"


async def test_ipvs_that_tracks_connections_lets_what_is_established_pass(site: Site) -> None:
    await iptables(f"-P FORWARD DROP\n{GENERAL}")
    async with running(site):
        await site.says("packet filter")
        await run("sysctl", "-qw", "net.ipv4.vs.conntrack=1")
        assert await site.answers() == {"n1", "n2"}
        assert await site.says("healthy") == "healthy"


async def test_what_is_not_certain_is_not_said(site: Site) -> None:
    """A set, a limit or a destination may let some pass: a filter that is not ours to judge."""
    await iptables("-P FORWARD DROP\n-A FORWARD -d 192.0.2.0/24 -j ACCEPT")
    async with running(site):
        assert await site.says("healthy") == "healthy"
        assert await site.answers() == {"n1", "n2"}


async def test_asking_loads_no_table_and_no_module(site: Site) -> None:
    before = loaded()
    async with running(site):
        assert await site.says("healthy") == "healthy"
    assert loaded() == before


def loaded() -> tuple[list[str], set[str]]:
    """List the packet filter's tables here, and the kernel's modules."""
    names, modules = Path("/proc/net/ip_tables_names"), Path("/proc/modules")
    tables = names.read_text().split() if names.exists() else []
    lines = modules.read_text().splitlines() if modules.exists() else []
    return tables, {line.split()[0] for line in lines}


NFT_TABLE = """
add table inet own
add chain inet own deep
add chain inet own path { type filter hook forward priority 5; policy drop; }
add rule inet own path oifname "docker*" accept
add rule inet own path ip saddr 10.0.2.0/24 accept
add rule inet own path meta nfproto ipv6 accept
add rule inet own path iifname "eth1" jump deep
add rule inet own deep ip protocol tcp tcp sport 81 return
add rule inet own deep ip daddr 203.0.113.0/24 drop
"""


@pytest.mark.skipif(shutil.which("nft") is None, reason="nft (nftables) is not installed")
async def test_nf_tables_is_read_and_mended_as_well(tmp_path: Path) -> None:
    """Its answers are datagrams without a question: that needs no IPVS, which not all have."""
    with laid(tmp_path, "nft") as (client, real):
        if subprocess.run(["iptables", "-P", "FORWARD", "ACCEPT"], check=False).returncode:  # noqa: ASYNC221 - at once
            pytest.skip("this kernel's nf_tables has no IPv4")
        forward, prepared = Forward(), prepare(Config.model_validate(DOCUMENT), "a")

        async def trouble() -> str:
            await forward.look(prepared)
            return forward.trouble or ""

        assert (await trouble(), arrives(real, client)) == ("", True)
        await iptables(f"-P FORWARD DROP\n{DOCKER_28}")
        assert not arrives(real, client)
        mend = rule(await trouble())
        assert mend == "iptables -I DOCKER-USER -s 10.0.1.0/24 -j ACCEPT"
        await run(*mend.split())
        assert (await trouble(), arrives(real, client)) == ("", True)
        for line in filter(None, NFT_TABLE.splitlines()):
            await run("nft", line)
        assert not arrives(real, client)
        said = await trouble()
        assert "the policy of inet own path is DROP" in said
        assert rule(said) == "nft insert rule inet own path ip saddr 10.0.1.0/24 accept"
        await run(*rule(said).split())
        assert (await trouble(), arrives(real, client)) == ("", True)


def arrives(real: Node, client: Node) -> bool:
    """Send the client a datagram from the real server; tell whether it gets there."""
    with client.call(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("192.0.2.100", 0))
        there.settimeout(1.0)
        with real.call(socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as here:
            here.sendto(b"answer", there.getsockname())
        with contextlib.suppress(TimeoutError):
            return there.recv(64) == b"answer"
    return False

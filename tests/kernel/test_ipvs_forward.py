"""Answers of NAT that the host's packet filter drops are named with the rule that lets them pass.

The kernel's own filter, real requests, and the writer as a process; what it says is what a client
sees.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.ipvs_writer.forwarding import (
    DOCKER_28,
    DOCUMENT,
    VIP,
    choose_packet_filter,
    forwarding,
    rule,
)
from tests.kernel.test_ipvs_process import output, writer
from tests.kernel.test_ipvs_writer import W1, W2, servers, serving, sh, until
from tests.kernel.test_ipvs_writer import Site as Quiet

from libra_ipvs_writer.shell.forward import Forward
from libra_lab.client import fetch
from libra_lab.inside import enter
from libra_lab.node import Node
from libra_lab.serving import ready, start
from libra_runtime.nats_journal import open_journal
from libra_runtime.stamp import draft
from libra_runtime.streams import Limits
from libra_runtime.testing import TestServer, start_nats
from libra_schemas.canonical import digest
from libra_schemas.events import ConfigApplied
from libra_schemas.intent.prepared import Prepared

pytestmark = pytest.mark.kernel

PATIENCE = 60.0
PORT = 19653

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


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    choose_packet_filter("legacy", tmp_path, monkeypatch)
    with forwarding() as network:
        ready(*(start(node, "http", name, 80) for name, node in network.real.items()))
        enter(network.director.namespace)
        nats = start_nats(tmp_path)
        yield Site(network.client, nats)
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


async def test_drift_is_repaired_before_the_packet_filter_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    async def look(_: Forward, __: Prepared | None) -> None:
        seen.append(servers())

    monkeypatch.setattr(Forward, "look", look)
    site = Quiet(tmp_path)
    async with site.writer():
        await serving(site)
        seen.clear()
        sh("ipvsadm", "-C")
        await until(lambda: bool(seen), servers)
    assert seen[0] == [W1, W2]


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

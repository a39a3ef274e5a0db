"""Directors whose nats-servers are joined by leaf links, each with its own health service."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests.health.shell.test_board import watch

from libra_health.shell.board import Board
from libra_health.shell.peers import Peers
from libra_health.verdict.policy import Policy
from libra_health.verdict.vantage import Vantage
from libra_runtime.nats_journal import open_journal, open_reader
from libra_runtime.nats_server import free_port
from libra_runtime.proxy import Proxy
from libra_runtime.stamp import draft
from libra_runtime.testing import MemoryJournal, TestServer, start_nats
from libra_schemas.canonical import digest
from libra_schemas.envelope import Event
from libra_schemas.events import BackendState, ConfigApplied

PATIENCE = 20.0
SOURCES = {"a": "127.0.0.2", "b": "127.0.0.3", "c": "127.0.0.4"}
"""Where each node checks from, so that a backend can tell them apart."""
CHECK = {
    "tcp": {"expect": "OK"}, "every": 0.1, "timeout": 0.1, "rise": 1, "fall": 2,
    "bind": SOURCES,
}  # fmt: skip


class Backend:
    """Greets the nodes that can reach it, and says nothing to the others."""

    def __init__(self) -> None:
        self.reached_by = set(SOURCES)
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._greet, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")[0]
        if any(SOURCES[name] == peer for name in self.reached_by):
            writer.write(b"OK")
        else:
            await reader.read(1)
        writer.close()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()


class Director:
    """A node: its nats-server, its link to the hub of this test, its health service."""

    def __init__(self, nats: TestServer, link: Proxy | None) -> None:
        self.nats = nats
        self.link = link
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        environment = os.environ | self.nats.edge("health").environment()
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "libra_health", env=environment
        )

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(PATIENCE):
                assert await self.process.wait() == 0

    async def apply(self, document: dict[str, Any]) -> None:
        console = await open_journal(self.nats.edge("console"))
        data = ConfigApplied(number=1, hash=digest(document), document=document, author="test")
        await console.append(draft("config.applied", ("cluster",), data))
        await console.close()

    async def said(self) -> list[tuple[str, BackendState]]:
        reader = await open_reader(self.nats.edge("console"))
        try:
            found = [stored.event async for stored in reader.read("backend")]
        finally:
            await reader.close()
        return [
            (event.type.removeprefix("backend."), event.data)
            for event in found
            if isinstance(event, Event) and isinstance(event.data, BackendState)
        ]

    async def until(self, condition: Callable[[list[str]], bool]) -> list[BackendState]:
        """Wait until the log holds verdicts of such kinds; return what they say."""
        said: list[tuple[str, BackendState]] = []
        try:
            async with asyncio.timeout(PATIENCE):
                while not condition([kind for kind, _ in said]):
                    await asyncio.sleep(0.1)
                    said = await self.said()
        except TimeoutError:
            pytest.fail(f"{self.nats.node} said {said}")
        return [data for _, data in said]


class Cluster:
    """Three directors; a is where the links of b and c end."""

    def __init__(self, directors: dict[str, Director], backend: Backend) -> None:
        self.directors = directors
        self.backend = backend

    async def begin(self, **service: Any) -> None:
        w1 = f"127.0.0.1:{self.backend.port}"
        web = {"address": "192.0.2.10:80", "check": CHECK, "backends": {"w1": w1}} | service
        nodes = {name: {"address": f"10.0.0.{n}"} for n, name in enumerate(self.directors, 1)}
        document = {"version": 1, "nodes": nodes, "services": {"web": web}}
        for director in self.directors.values():
            await director.apply(document)
            await director.start()
        for director in self.directors.values():
            await director.until(lambda kinds: kinds == ["up"])

    def __getitem__(self, name: str) -> Director:
        return self.directors[name]


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncGenerator[Cluster, None]:
    backend, port = Backend(), free_port()
    allows = "authorization {user: leaf, password: leaf, account: LIBRA}"
    ends = f'leafnodes {{listen: "127.0.0.1:{port}", no_advertise: true, {allows}}}\n'
    async with AsyncExitStack() as stack:
        await backend.start()
        stack.callback(backend.close)
        directors: dict[str, Director] = {}
        for name in SOURCES:
            link, more = None, ends
            if name != "a":
                link = Proxy(port)
                await link.open()
                stack.push_async_callback(link.cut)
                url = f"nats-leaf://leaf:leaf@127.0.0.1:{link.port}"
                more = f'leafnodes {{reconnect: 1, remotes: [{{url: "{url}", account: LIBRA}}]}}\n'
            nats = start_nats(tmp_path / name, name, more)
            stack.callback(nats.stop)
            await nats.make_streams()
            directors[name] = Director(nats, link)
            stack.push_async_callback(directors[name].stop)
        yield Cluster(directors, backend)


def votes_of(state: BackendState) -> dict[str, bool | None]:
    (votes,) = [each.votes for each in state.evidence if each.votes]
    return {vote.node: vote.up for vote in votes}


async def test_the_majority_decides_and_every_vote_is_told(cluster: Cluster) -> None:
    await cluster.begin(vantage="majority")
    cluster.backend.reached_by = {"b", "c"}
    seen = await cluster["a"].until(lambda kinds: kinds == ["up", "seen"])
    assert (seen[-1].up, seen[-1].seen) == (True, False)
    cluster.backend.reached_by = {"c"}
    for name in ("a", "b", "c"):
        told = await cluster[name].until(lambda kinds: kinds[-1:] == ["down"])
        assert votes_of(told[-1]) == {"a": False, "b": False, "c": True}
        assert told[-1].seen is (name == "c")
    cluster.backend.reached_by = set(SOURCES)
    for director in cluster.directors.values():
        await director.until(lambda kinds: "up" in kinds[2:])


async def test_who_is_cut_off_keeps_the_last_backend_until_the_link_is_back(
    cluster: Cluster,
) -> None:
    await cluster.begin(vantage="majority")
    link = cluster["c"].link
    assert link is not None
    await link.cut()
    cluster.backend.reached_by = {"a", "b"}
    told = await cluster["c"].until(lambda kinds: kinds[-1:] == ["held"])
    assert votes_of(told[-1]) == {"c": False, "a": None, "b": None}
    assert [each.reason for each in told[-1].evidence][-2:] == ["voted", "minority"]
    await link.open()
    told = await cluster["c"].until(lambda kinds: kinds[-1:] == ["up"])
    votes = votes_of(told[-1])  # whichever of the two is heard first makes it a tie
    assert votes["c"] is False
    assert True in votes.values()
    assert False not in (votes["a"], votes["b"])
    assert [len(await cluster[name].said()) for name in ("a", "b")] == [1, 1]


async def test_one_that_sees_it_up_keeps_it_where_any_does(cluster: Cluster) -> None:
    await cluster.begin(vantage={"mode": "any", "unreachable": "down"})
    cluster.backend.reached_by = {"c"}
    for name in ("a", "b"):
        await cluster[name].until(lambda kinds: kinds == ["up", "seen"])
    link = cluster["c"].link
    assert link is not None
    await link.cut()
    told = await cluster["a"].until(lambda kinds: kinds[-1:] == ["down"])
    assert votes_of(told[-1]) == {"a": False, "b": False, "c": None}
    await link.open()
    told = await cluster["a"].until(lambda kinds: kinds[-1:] == ["up"])
    assert votes_of(told[-1]) == {"a": False, "b": False, "c": True}


class Notebook:
    """Stands where the board does, and writes down whom it heard of."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, object]] = []
        self.news = asyncio.Event()

    def hear_peer(self, node: str, ballots: object, *, is_whole: bool = True) -> None:
        assert is_whole
        self.heard.append((node, ballots))
        self.news.set()

    async def until(self, *heard: tuple[str, object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while sorted(self.heard, key=str) != sorted(heard, key=str):
                await self.news.wait()
                self.news.clear()


async def test_only_the_nodes_whose_votes_count_are_followed() -> None:
    board, journal = Notebook(), MemoryJournal()
    peers = Peers(journal, cast("Board", board), lambda work: work())
    counting = replace(watch(80), policy=Policy(vantage=Vantage("a", ("b", "c"))))
    running = asyncio.create_task(peers.run())
    peers.want([watch(81), counting])
    await board.until(("b", None), ("c", None))
    fewer = replace(counting, policy=Policy(vantage=Vantage("a", ("b",))))
    peers.want([fewer])
    await board.until(("b", None), ("c", None), ("c", None))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await journal.close()

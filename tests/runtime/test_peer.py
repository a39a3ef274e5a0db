"""The log of another node, followed over a real leaf link."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from ipaddress import ip_address
from pathlib import Path

import pytest

from libra_runtime.journal import CaughtUp, PeerLost, Stored
from libra_runtime.nats_journal import NatsJournal, open_journal
from libra_runtime.nats_server import free_port
from libra_runtime.proxy import Proxy
from libra_runtime.stamp import draft
from libra_runtime.testing import start_nats
from libra_schemas.events import BackendState

PATIENCE = 30.0
Item = Stored | CaughtUp | PeerLost


class Pair:
    """Two nodes, the link between them, and the health journals of both."""

    def __init__(self, here: NatsJournal, there: NatsJournal, link: Proxy) -> None:
        self.here, self.there, self.link = here, there, link

    async def say(self, backend: str, *, up: bool) -> None:
        state = BackendState(
            service="web",
            backend=backend,
            address=ip_address("192.0.2.1"),
            port=80,
            protocol="tcp",
            target="0" * 64,
            up=up,
        )
        kind = "backend.up" if up else "backend.down"
        await self.there.append(draft(kind, ("web", backend), state))


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncGenerator[Pair, None]:
    port = free_port()
    allows = "authorization {user: leaf, password: leaf, account: LIBRA}"
    async with AsyncExitStack() as stack:
        ends = f'leafnodes {{listen: "127.0.0.1:{port}", no_advertise: true, {allows}}}\n'
        b = start_nats(tmp_path / "b", "b", ends)
        stack.callback(b.stop)
        link = Proxy(port)
        await link.open()
        stack.push_async_callback(link.cut)
        url = f"nats-leaf://leaf:leaf@127.0.0.1:{link.port}"
        more = f'leafnodes {{reconnect: 1, remotes: [{{url: "{url}", account: LIBRA}}]}}\n'
        a = start_nats(tmp_path / "a", "a", more)
        stack.callback(a.stop)
        journals = []
        for server in (a, b):
            await server.make_streams()
            journals.append(await open_journal(server.edge("health")))
            stack.push_async_callback(journals[-1].close)
        yield Pair(journals[0], journals[1], link)


async def until(items: AsyncGenerator[Item, None], last: type[Item]) -> list[str]:
    """Take items up to the first of a kind; tell them as words."""
    told: list[str] = []
    async with asyncio.timeout(PATIENCE):
        async for item in items:
            told.append(
                f"{item.event.type} {item.subject.key[1]}"
                if isinstance(item, Stored)
                else type(item).__name__
            )
            if isinstance(item, last):
                break
    return told


async def test_a_peer_is_heard_lost_once_and_read_anew_when_it_is_back(pair: Pair) -> None:
    await pair.say("w1", up=True)
    await pair.say("w1", up=False)
    async with aclosing(pair.here.follow_peer("b", "backend")) as items:
        told = await until(items, CaughtUp)
        assert told[-2:] == ["backend.down w1", "CaughtUp"]
        await pair.say("w2", up=True)
        assert await until(items, Stored) == ["backend.up w2"]
        await pair.link.cut()
        assert await until(items, PeerLost) == ["PeerLost"]
        await pair.say("w1", up=True)
        await asyncio.sleep(4)  # it is told once, however long it lasts
        await pair.link.open()
        assert await until(items, CaughtUp) == ["backend.up w2", "backend.up w1", "CaughtUp"]
        assert pair.here.trouble is None


async def test_a_peer_that_never_answers_is_out_of_reach(pair: Pair) -> None:
    async with aclosing(pair.here.follow_peer("c", "backend")) as items:
        assert await until(items, PeerLost) == ["PeerLost"]
    assert pair.here.trouble is None

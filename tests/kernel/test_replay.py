"""`libra replay --at N` for every N of a story: what it prints is what ipvsadm printed then."""

import asyncio
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.test_ipvs_process import output, writer

from libra_cli.replay import Query, formatted, replay
from libra_cli.site import Site
from libra_lab.syscalls import CLONE_NEWNET, unshare
from libra_runtime.nats_journal import NatsJournal, open_journal
from libra_runtime.session import open_session
from libra_runtime.stamp import draft
from libra_runtime.stored import last_sequence
from libra_runtime.streams import Limits
from libra_runtime.testing import TestServer, start_nats
from libra_schemas.canonical import digest
from libra_schemas.config import Config
from libra_schemas.events import AdminState, BackendState, ConfigApplied
from libra_schemas.nats import ADMIN
from libra_schemas.target import target_of

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(240)]

SEED = 7
ACTS = 40
PATIENCE = 60.0
QUIET = 0.25
BACKENDS = ("w1", "w2", "w3")
NODES = {"a": {"address": "10.0.0.2"}}


@dataclass
class Story:
    """Who acts, and what the kernel held each time that the log had come to rest."""

    nats: TestServer
    console: NatsJournal
    health: NatsJournal
    chance: random.Random
    config: Config = field(default_factory=lambda: Config.model_validate(document(0)))
    number: int = 0
    held: dict[int, str] = field(default_factory=dict)

    async def act(self) -> None:
        """Do one thing that an operator, a check or an intruder does."""
        chosen = self.chance.choice(
            (self.verdict,) * 9 + (self.admin, self.apply) * 3 + (self.intrude,)
        )
        await chosen()

    async def verdict(self) -> None:
        name, backend = self.chance.choice(sorted(self.config.services)), self.any_backend()
        service = self.config.services[name]
        address = service.backends[backend].address
        data = BackendState(
            service=name,
            backend=backend,
            address=address.address,
            port=address.port,
            protocol=service.protocol,
            target=target_of(service, service.backends[backend]),
            up=self.chance.random() < 0.6,
        )
        kind = "backend.up" if data.up else "backend.down"
        await self.health.append(draft(kind, (name, backend), data))

    async def admin(self) -> None:
        mode = self.chance.choice(("drain", "ready", "maint"))
        entity = ("backend", self.chance.choice(sorted(self.config.services)), self.any_backend())
        weight = self.chance.choice((None, 0, 9))
        data = AdminState.model_validate(
            {"entity": entity, "mode": mode, "weight": weight, "who": "op"}
        )
        await self.console.append(draft(f"operator.{mode}", entity, data))

    async def apply(self) -> None:
        self.number += 1
        shape = document(self.number)
        self.config = Config.model_validate(shape)
        data = ConfigApplied(number=self.number, hash=digest(shape), document=shape, author="t")
        await self.console.append(draft("config.applied", ("cluster",), data))

    async def intrude(self) -> None:
        """Flush the table by hand, and wait until the writer has seen it."""
        if not await output("ipvsadm", "-Sn"):
            return
        before = await self.last()
        await output("ipvsadm", "-C")
        async with asyncio.timeout(PATIENCE):
            while await self.last() == before:  # noqa: ASYNC110 - no event tells of it
                await asyncio.sleep(QUIET)

    async def last(self) -> int:
        admin = await open_session(self.nats.edge(ADMIN), lambda _: None)
        try:
            return await last_sequence(admin)
        finally:
            await admin.close()

    def any_backend(self) -> str:
        return self.chance.choice(BACKENDS)

    async def rest(self) -> None:
        """Wait until neither log nor table moves, and note what the kernel holds."""
        before = (-1, "")
        while (now := (await self.last(), await output("ipvsadm", "-Sn"))) != before:
            before = now
            await asyncio.sleep(QUIET)
        self.held[now[0]] = now[1]


def document(number: int) -> dict[str, Any]:
    """Give a config: services come, go, move and change with *number*."""
    backends = {name: f"10.0.1.{place}:80" for place, name in enumerate(BACKENDS, 11)}
    web = {"address": "192.0.2.10:80", "scheduler": ("wrr", "rr", "sh")[number % 3]}
    services: dict[str, Any] = {
        "web": {**web, "sorry": "10.0.1.99:80", "backends": backends},
        "mail": {"address": f"192.0.2.{20 + number % 2}:25", "backends": backends, "quorum": 2},
    }
    if number % 4 > 1:
        services["odd"] = {"address": "[2001:db8::1]:53", "protocol": "udp", "assume_up": True}
        services["odd"]["backends"] = {
            name: f"[2001:db8::{place}]:53" for place, name in enumerate(BACKENDS, 11)
        }
    return {"version": 1, "nodes": NODES, "services": services}


async def test_at_every_sequence_the_replay_is_what_the_kernel_held(tmp_path: Path) -> None:
    unshare(CLONE_NEWNET)
    await output("ip", "link", "set", "lo", "up")
    nats = start_nats(tmp_path)
    await nats.make_streams(Limits(size=1 << 26))
    console, health = [await open_journal(nats.edge(name)) for name in ("console", "health")]
    story = Story(nats, console, health, random.Random(SEED))
    await story.apply()
    for _ in range(2):
        async with writer(nats):
            for _ in range(ACTS // 2):
                await story.act()
                await story.rest()
        await story.verdict()  # while the writer is away
    nats_site = site(nats)
    last = max(story.held)
    for sequence in range(1, last + 1):
        wanted = Query(at=str(sequence), desired=True)
        if sequence > 3:
            formatted(await replay(nats_site, wanted), "ipvsadm")
        if sequence in story.held:
            past = await replay(nats_site, Query(at=str(sequence)))
            assert formatted(past, "ipvsadm") == story.held[sequence], sequence
            assert not past.unsure
    assert len(set(story.held.values())) > ACTS // 4
    await console.close()
    await health.close()
    nats.stop()


def site(nats: TestServer) -> Site:
    """Lay the node's directories out as `libra` expects them."""
    state = nats.directory / "state"
    (state / "seeds").symlink_to(nats.directory / "keys")
    return Site(nats.node, state, nats.directory / "run", nats.url)

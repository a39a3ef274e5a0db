"""Garbage and forgeries in the log: counted, buried, and nobody stumbles over them twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from libra_runtime import stamp
from libra_runtime.faults import NatsWorld
from libra_runtime.journal import CaughtUp, Journal, LogRenewed, Stored
from libra_runtime.nats_journal import NatsJournal
from libra_runtime.streams import init_streams
from libra_schemas.envelope import Draft
from libra_schemas.events import BackendState
from libra_schemas.nats import MAX_PAYLOAD
from libra_schemas.subjects import DEAD, LOG, STATE

PATIENCE = 60.0
VICTIM = "lvs.a.backend.down.web.x"
CLAIM = "lvs.a.node.started.health"


def verdict(backend: str) -> Draft:
    data = BackendState.model_validate(
        {"service": "web", "backend": backend, "address": "10.0.0.1", "port": 80}
        | {"protocol": "tcp", "target": "a" * 64, "up": False}
    )
    return stamp.draft("backend.down", ("web", backend), data)


def forged(event_type: str, **facts: object) -> bytes:
    """Write an event that claims to be ours; text in *facts* stands as it is."""
    envelope = {
        "specversion": '"1.0"',
        "id": f'"{stamp.new_id()}"',
        "source": '"/lvs/a/health"',
        "type": f'"{event_type}"',
        "subject": '"x"',
        "time": '"2026-01-01T00:00:00Z"',
        "datacontenttype": '"application/json"',
        "dataschema": f'"urn:libra:schema:{event_type}:1"',
        "epoch": "1",
        "chainseq": '"7"',
        "chainprev": f'"{"0" * 64}"',
        "data": "{}",
    } | facts
    return ("{" + ",".join(f'"{key}":{value}' for key, value in envelope.items()) + "}").encode()


GARBAGE = [
    pytest.param(VICTIM, b"\xff\xfe", {}, id="no-text"),
    pytest.param(VICTIM, b"{}", {"Status": "100"}, id="looks-like-a-heartbeat"),
    pytest.param(VICTIM, b"{}", {"Status": "404"}, id="looks-like-the-end"),
    pytest.param(VICTIM, b"{}", {"Status": "abc"}, id="status-that-is-no-number"),
    pytest.param(
        VICTIM,
        b"{}",
        {"Nats-Sequence": "abc", "Nats-Subject": "x.y", "Nats-Time-Stamp": "?"},
        id="headers-of-the-server",
    ),
    pytest.param(VICTIM, b"x" * (MAX_PAYLOAD - 100), {}, id="as-large-as-the-server-takes"),
    pytest.param(VICTIM, b'{"a":' + b"[" * 100_000, {}, id="deep"),
    pytest.param(VICTIM, forged("backend.down", epoch="1e999"), {}, id="infinite-epoch"),
    pytest.param(
        VICTIM, forged("backend.down", chainseq='"9999999999999999999"'), {}, id="end-of-chain"
    ),
    pytest.param(VICTIM, forged("backend.down", chainseq="-5"), {}, id="before-the-chain"),
    pytest.param(CLAIM, b"[" * 100_000, {}, id="deep-claim"),
    pytest.param(CLAIM, forged("node.started", epoch="1e999"), {}, id="infinite-claim"),
    pytest.param(
        CLAIM, forged("node.started", epoch="9" * 30), {}, id="claim-that-nobody-could-reach"
    ),
]


async def listen(journal: Journal, heard: asyncio.Queue[Stored | CaughtUp]) -> None:
    async with aclosing(journal.follow("backend")) as events:
        async for event in events:
            heard.put_nowait(event)


@asynccontextmanager
async def following(journal: Journal) -> AsyncIterator[asyncio.Queue[Stored | CaughtUp]]:
    """Follow the verdicts in the background; what the follower raises is raised at the end."""
    heard: asyncio.Queue[Stored | CaughtUp] = asyncio.Queue()
    task = asyncio.create_task(listen(journal, heard))
    try:
        yield heard
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def expect(heard: asyncio.Queue[Stored | CaughtUp], backend: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            event = await heard.get()
            if isinstance(event, Stored) and event.subject.key == ("web", backend):
                return


async def put(nats: NatsWorld, subject: str, raw: bytes, headers: dict[str, str]) -> None:
    answer = json.loads(
        (await (await nats.admin()).request(subject, raw, headers, limit=PATIENCE)).data
    )
    assert "seq" in answer


@pytest.mark.parametrize(("subject", "raw", "headers"), GARBAGE)
async def test_garbage_is_buried_and_neither_this_process_nor_the_next_stumbles(
    nats: NatsWorld, subject: str, raw: bytes, headers: dict[str, str]
) -> None:
    journal = await nats.open()
    async with following(journal) as heard:
        await journal.append(verdict("before"))
        await expect(heard, "before")
        await put(nats, subject, raw, headers)
        async with asyncio.timeout(PATIENCE):
            await journal.append(verdict("after"))
        await expect(heard, "after")
    assert isinstance(journal, NatsJournal)
    assert journal.figures()["dead_letters"] >= 1
    assert journal.wire.sessions == 1
    assert raw.startswith((await nats.dead(1))[0][0])
    await put(nats, subject, raw, headers)  # the newest of its subject, and of all we said

    successor = await nats.open()
    assert successor.trouble is None
    assert successor.epoch > journal.epoch
    async with following(successor) as heard:
        await expect(heard, "after")
        await successor.append(verdict("later"))
        await expect(heard, "later")


async def test_a_flood_of_garbage_is_buried_whole(nats: NatsWorld) -> None:
    journal = await nats.open()
    admin = await nats.admin()
    async with following(journal) as heard:
        for _ in range(3_000):
            await admin.publish(VICTIM, b"x")
        await put(nats, VICTIM, b"x", {})
        await journal.append(verdict("after"))
        await expect(heard, "after")
    assert len(await nats.dead(3_001)) >= 1_000


async def test_a_follower_of_a_log_that_was_made_anew_ends_to_begin_with_it(
    nats: NatsWorld,
) -> None:
    journal = await nats.open()
    admin = await nats.admin()
    await journal.append(verdict("before"))
    heard: asyncio.Queue[Stored | CaughtUp] = asyncio.Queue()
    follower = asyncio.create_task(listen(journal, heard))
    await expect(heard, "before")
    for stream in (LOG, STATE, DEAD):
        await admin.api(f"$JS.API.STREAM.DELETE.{stream}")
    await init_streams(admin, "a")
    async with asyncio.timeout(PATIENCE):
        await journal.append(verdict("after"))
        with pytest.raises(LogRenewed, match="made anew"):
            await follower

    successor = await nats.open()
    async with following(successor) as heard:
        await expect(heard, "after")

"""An atomic batch whose server is killed on the way: all of it is stored once, or none yet."""

import asyncio
import hashlib
from itertools import pairwise
from pathlib import Path

import pytest

from libra_runtime import stamp
from libra_runtime.journal import Stored
from libra_runtime.nats_journal import open_journal
from libra_runtime.session import Session
from libra_runtime.testing import TestServer, start_nats
from libra_schemas.envelope import Draft
from libra_schemas.events import BackendState

PATIENCE = 60.0
SIZE = 500


def verdict(backend: str) -> Draft:
    data = BackendState.model_validate(
        {"service": "web", "backend": backend, "address": "10.0.0.1", "port": 80}
        | {"protocol": "tcp", "target": "a" * 64, "up": False}
    )
    return stamp.draft("backend.down", ("web", backend), data)


def kill_at(
    server: TestServer, place: int, delay: float, monkeypatch: pytest.MonkeyPatch
) -> asyncio.Event:
    """Kill *server*, *delay* seconds after it was sent message *place* of a batch; once."""
    killed = asyncio.Event()
    publish = Session.publish

    async def deadly(
        session: Session,
        subject: str,
        payload: bytes,
        headers: dict[str, str] | None = None,
        reply: str = "",
    ) -> None:
        await publish(session, subject, payload, headers, reply)
        if (headers or {}).get("Nats-Batch-Sequence") == str(place) and not killed.is_set():
            await session.client.flush() if place < SIZE else await asyncio.sleep(delay)
            server.kill()
            killed.set()

    monkeypatch.setattr(Session, "publish", deadly)
    return killed


@pytest.mark.parametrize(
    ("place", "delay"),
    [
        pytest.param(1, 0, id="begun"),
        pytest.param(SIZE // 2, 0, id="half-sent"),
        pytest.param(SIZE - 1, 0, id="all-but-the-commit"),
        pytest.param(SIZE, 0.002, id="committing"),
        pytest.param(SIZE, 0.006, id="being-written"),
        pytest.param(SIZE, 0.05, id="stored-before-its-ack-was-read"),
    ],
)
async def test_a_batch_whose_server_is_killed_is_stored_once_in_order_as_one_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int, delay: float
) -> None:
    server = await asyncio.to_thread(start_nats, tmp_path)
    await server.make_streams()
    journal = await open_journal(server.edge("health"))
    killed = kill_at(server, place, delay, monkeypatch)
    drafts = [verdict(f"w{number}") for number in range(SIZE)]
    for draft in drafts:
        journal.publish(draft)
    async with asyncio.timeout(PATIENCE):
        await killed.wait()
        await asyncio.to_thread(server.restart)
        await journal.append(verdict("after"))
    events = [each async for each in journal.read()]
    await journal.close()
    await asyncio.to_thread(server.stop)
    assert [each.event.id for each in events if each.subject.type == "backend.down"][:-1] == [
        draft.id for draft in drafts
    ]
    require_chain(events)


def require_chain(events: list[Stored]) -> None:
    for before, after in pairwise(events):
        assert int(after.event.chainseq) == int(before.event.chainseq) + 1
        assert after.event.chainprev == hashlib.sha256(before.raw).hexdigest()

"""The one moment that is easy to get wrong: where recovery ends and the live log begins."""

import asyncio
from pathlib import Path

import pytest

from libra_runtime import stamp
from libra_runtime.journal import CaughtUp
from libra_runtime.nats_journal import open_journal
from libra_runtime.reader import Reader
from libra_runtime.session import open_session
from libra_runtime.settings import Edge
from libra_runtime.stored import newest
from libra_runtime.testing import start_nats
from libra_schemas.events import BackendState
from libra_schemas.subjects import STATE


async def await_state(edge: Edge, sequence: int) -> None:
    """Wait until STATE holds the LOG up to *sequence*."""
    session = await open_session(edge, lambda _: None)
    async with asyncio.timeout(60):
        while True:
            last = await newest(session, STATE, "state.a.>")
            if last is not None and last.sequence >= sequence:
                break
            await asyncio.sleep(0.01)
    await session.close()


async def test_what_is_stored_while_a_reader_opens_is_never_claimed_before_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start_nats(tmp_path)
    await server.make_streams()
    writer = await open_journal(server.edge("health"))
    reader = await open_journal(server.edge("console"))
    data = BackendState.model_validate(
        {
            "service": "web",
            "backend": "w1",
            "address": "10.0.0.1",
            "port": 80,
            "protocol": "tcp",
            "target": "a" * 64,
            "up": False,
        }
    )
    up = data.model_copy(update={"up": True})
    asked = Reader._end
    stored: list[int] = []

    async def meanwhile(self: Reader, patience: float | None = None) -> int:
        stored.append(await writer.append(stamp.draft("backend.down", ("web", "w1"), data)))
        return await asked(self, patience)

    try:
        first = await writer.append(stamp.draft("backend.up", ("web", "w1"), up))
        await await_state(server.edge("console"), first)
        monkeypatch.setattr(Reader, "_end", meanwhile)
        told: list[int] = []
        async for item in reader.follow("backend"):
            if isinstance(item, CaughtUp):
                assert [each for each in stored if each <= item.sequence] == told[1:]
                break
            told.append(item.sequence)
    finally:
        await reader.close()
        await writer.close()
        server.stop()
    assert stored

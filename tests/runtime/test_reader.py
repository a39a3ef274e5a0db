"""The one moment that is easy to get wrong: where recovery ends and the live log begins."""

from pathlib import Path

import pytest

from libra_runtime import stamp
from libra_runtime.journal import CaughtUp
from libra_runtime.nats_journal import open_journal
from libra_runtime.reader import Reader
from libra_runtime.testing import start_nats
from libra_schemas.events import BackendState


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
    asked = Reader._end
    stored: list[int] = []

    async def meanwhile(self: Reader, patience: float | None = None) -> int:
        stored.append(await writer.append(stamp.draft("backend.down", ("web", "w1"), data)))
        return await asked(self, patience)

    monkeypatch.setattr(Reader, "_end", meanwhile)
    try:
        for _ in range(5):  # by the second time STATE holds all that was said before
            told = []
            stored.clear()
            async for item in reader.follow("backend"):
                if isinstance(item, CaughtUp):
                    assert [each for each in stored if each <= item.sequence] == [
                        each for each in told if each in stored
                    ]
                    break
                told.append(item.sequence)
    finally:
        await reader.close()
        await writer.close()
        server.stop()
    assert stored

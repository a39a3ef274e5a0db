"""A file that is to be kept while the disk takes nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from libra_runtime import keeping
from libra_runtime.keeping import Keeping


@asynccontextmanager
async def running(kept: Keeping) -> AsyncIterator[None]:
    task = asyncio.create_task(kept.run())
    yield
    task.cancel()


async def test_what_the_disk_refused_is_told_once_and_kept_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "RETRY", 0.01)
    in_the_way = tmp_path / "state"
    in_the_way.write_text("a file where the directory should be")
    said: list[str] = []
    done = asyncio.Event()
    kept = Keeping(in_the_way / "config", said.append, done.set, mode=0o644)
    async with running(kept), asyncio.timeout(60):
        kept.put(b"old")
        kept.put(b"new")
        assert kept.trouble == said[0]
        in_the_way.unlink()
        await done.wait()
    assert (in_the_way / "config").read_bytes() == b"new"
    assert (in_the_way / "config").stat().st_mode & 0o777 == 0o644
    assert kept.trouble is None
    assert len(said) == 1


async def test_what_the_disk_takes_is_kept_at_once(tmp_path: Path) -> None:
    said: list[str] = []
    kept = Keeping(tmp_path / "config", said.append)
    kept.put(b"one")
    assert (tmp_path / "config").read_bytes() == b"one"
    kept.put(b"two")
    assert (tmp_path / "config").read_bytes() == b"two"
    assert said == []

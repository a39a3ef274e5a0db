"""Worlds to test journals in: memory, and a real server behind a proxy."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libra_runtime.faults import MemoryWorld, NatsWorld, World


@pytest.fixture(params=["memory", "link", "kill"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """Make a log that can fail: in memory, by its link, or by kill -9."""
    if request.param == "memory":
        made: World = MemoryWorld()
    else:
        made = await NatsWorld.start(tmp_path, kill=request.param == "kill")
    yield made
    await made.close()


@pytest.fixture
async def nats(tmp_path: Path) -> AsyncIterator[NatsWorld]:
    """Start a real server behind a proxy."""
    made = await NatsWorld.start(tmp_path)
    yield made
    await made.close()

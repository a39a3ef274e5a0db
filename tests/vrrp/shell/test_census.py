"""Real processes, counted."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from libra_vrrp.shell import census
from libra_vrrp.shell.census import HIDDEN, Census, find

PATIENCE = 60.0
NAME = "a-daemon-of-ours-with-a-long-name"


@contextlib.contextmanager
def running(directory: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a script whose name the kernel keeps the beginning of; it is itself when it says so."""
    script = directory / NAME
    script.write_text("#!/bin/sh\necho so it is\nread line\n")
    script.chmod(0o755)
    pipe = subprocess.PIPE
    with subprocess.Popen([str(script)], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield process
        process.kill()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with running(tmp_path) as process:
        yield process


@contextlib.asynccontextmanager
async def counting(name: str) -> AsyncIterator[tuple[Census, "asyncio.Queue[int]"]]:
    counts: asyncio.Queue[int] = asyncio.Queue()
    made = Census(lambda _, count: counts.put_nowait(count))
    task = asyncio.create_task(made.run(frozenset({name})))
    try:
        async with asyncio.timeout(PATIENCE):
            yield made, counts
    finally:
        task.cancel()
        await asyncio.wait({task})


def test_processes_are_found_by_the_name_of_their_program(
    daemon: subprocess.Popen[bytes],
) -> None:
    assert find([NAME])[NAME] == [daemon.pid]
    assert NAME[:-1] not in find([NAME[:-1]])


async def test_the_end_of_a_process_is_counted_at_once(
    daemon: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(census, "EVERY", 10 * PATIENCE)
    async with counting(NAME) as (_, counts):
        assert await counts.get() == 1
        daemon.kill()
        assert await counts.get() == 0  # the process is a zombie yet


async def test_a_process_that_begins_is_counted_soon(tmp_path: Path) -> None:
    async with counting(NAME) as (_, counts):
        assert await counts.get() == 0
        with running(tmp_path):
            while await counts.get() != 1:
                pass


async def test_where_processes_are_hidden_nothing_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(census, "PROC", tmp_path)
    monkeypatch.setattr(census, "EVERY", 0.01)
    async with counting(Path(sys.executable).name) as (made, counts):
        while made.trouble is None:  # noqa: ASYNC110 - what is told is told by asking
            await asyncio.sleep(0.01)
        assert made.trouble == HIDDEN
        assert counts.empty()

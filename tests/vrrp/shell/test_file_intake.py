"""The config of a file: taken when somebody asks, and never one that is wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from libra_vrrp.orders import Instance
from libra_vrrp.shell import source
from libra_vrrp.shell.file_intake import FileIntake

PATIENCE = 60.0
CONFIG = """\
version: 1
nodes: {a: {address: 192.0.2.1}, b: {address: 192.0.2.2}}
instances:
  front: {interface: eth0, vrid: VRID, addresses: [192.0.2.10/24]}
"""
PLAIN_V2 = "vrid: 51, version: 2, auth_file: {}"
ABSENT = "auth_file {}: No such file or directory; write the password there, or name another file"


class World:
    """A file, and what is taken of it."""

    def __init__(self, directory: Path, node: str) -> None:
        self.file = directory / "libra.yaml"
        self.asked = asyncio.Event()
        self.intake = FileIntake(node, self.file, self.asked)
        self.taken: list[Instance] = []
        self.looked = asyncio.Semaphore(0)

    def write(self, vrid: str) -> None:
        """Change the file, and ask for nothing."""
        self.file.write_text(CONFIG.replace("vrid: VRID", vrid))

    async def take(self) -> None:
        """Take what there is, as the reporter does."""
        taken = await self.intake.take()
        self.taken += [] if taken is None else taken[1]
        self.looked.release()

    async def look(self) -> None:
        """Wait until it was looked once more."""
        async with asyncio.timeout(PATIENCE):
            await self.looked.acquire()

    def vrids(self) -> list[int]:
        """Return which routers were taken, in order."""
        return [one.vrid for one in self.taken]


@asynccontextmanager
async def tended(directory: Path, vrid: str, node: str = "a") -> AsyncIterator[World]:
    """Have a file tended, that was looked at once."""
    world = World(directory, node)
    world.write(vrid)
    tending = asyncio.create_task(world.intake.tend(world.take))
    try:
        await world.look()
        yield world
    finally:
        tending.cancel()
        await asyncio.wait({tending})


async def test_a_file_is_taken_at_once_and_then_when_somebody_asks(tmp_path: Path) -> None:
    async with tended(tmp_path, "vrid: 51") as world:
        world.write("vrid: 52")
        await world.take()
        assert world.vrids() == [51]
        world.asked.set()
        await world.look()
        await world.look()
        assert world.vrids() == [51, 52]
        assert world.intake.trouble is None
        assert world.intake.revision is None


async def test_a_file_with_errors_is_told_with_its_place_and_changes_nothing(
    tmp_path: Path,
) -> None:
    async with tended(tmp_path, "vrid: 51") as world:
        world.write("vrid: 300")
        world.asked.set()
        await world.look()
        assert world.vrids() == [51]
        told = world.intake.trouble or ""
        assert told.startswith(f"not in force: {world.file}:4:34: instances.front.vrid: ")
        world.write("vrid: 53")
        world.asked.set()
        await world.look()
        assert world.vrids() == [51, 53]
        assert world.intake.trouble is None


async def test_a_file_that_is_gone_or_has_no_such_node_changes_nothing(tmp_path: Path) -> None:
    async with tended(tmp_path, "vrid: 51", node="c") as world:
        assert "the config has no node 'c': name one it has" in (world.intake.trouble or "")
        world.file.unlink()
        world.asked.set()
        await world.look()
        assert "cannot be read: No such file or directory" in (world.intake.trouble or "")
        assert world.taken == []


async def test_a_password_that_is_missing_is_waited_for_without_reading_the_file_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "RETRY", 0.01)
    secret = tmp_path / "pass"
    async with tended(tmp_path, PLAIN_V2.format(secret)) as world:
        assert world.intake.trouble == ABSENT.format(secret)
        world.write("vrid: 300")
        secret.write_text("s3cret")
        while not world.taken:
            await world.look()
        assert [one.authentication for one in world.taken] == [b"s3cret"]
        assert world.intake.trouble is None

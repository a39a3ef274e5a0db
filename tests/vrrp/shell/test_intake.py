"""Which config is taken: the newest that this node can hold, with the secrets it names."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from libra_runtime.journal import Stored
from libra_runtime.memory import MemoryJournal
from libra_runtime.memory_log import MemoryLog
from libra_runtime.stamp import draft
from libra_schemas.canonical import digest
from libra_schemas.envelope import Event
from libra_schemas.events import ConfigApplied
from libra_vrrp.orders import Instance
from libra_vrrp.shell import source
from libra_vrrp.shell.intake import Intake

ABSENT = "auth_file {}: No such file or directory; write the password there, or name another file"


class World:
    """A log in memory, the console that writes to it, and the intake of node a."""

    def __init__(self) -> None:
        log = MemoryLog("a")
        self.console = MemoryJournal("a", "console", log)
        self.journal = MemoryJournal("a", "vrrp", log)
        self.asked = asyncio.Event()
        self.intake = Intake("a", self.journal, self.asked)

    async def apply(self, number: int, **front: Any) -> None:
        """Apply a config with one instance, and have it noted."""
        one = {"interface": "eth0", "vrid": 51, "addresses": ["192.0.2.10/24"], **front}
        document = {
            "version": 1,
            "nodes": {"a": {"address": "192.0.2.1"}},
            "instances": {"front": one},
        }
        data = ConfigApplied(number=number, hash=digest(document), document=document, author="test")
        self.console.publish(draft("config.applied", ("cluster",), data))
        async with asyncio.timeout(60):
            async for item in self.journal.follow("config.applied"):
                match item:
                    case Stored(event=Event(data=ConfigApplied(number=found))) if found == number:
                        self.intake.note(item)
                        return
                    case _:
                        pass

    async def front(self) -> Instance | None:
        """Return what is taken of the instance."""
        taken = await self.intake.take()
        return None if taken is None else taken[1][0]


async def test_a_config_whose_password_cannot_be_used_waits_for_it(tmp_path: Path) -> None:
    world, secret = World(), tmp_path / "pass"
    await world.apply(1, version=2, auth_file=str(secret))
    assert await world.front() is None
    assert world.intake.trouble == ABSENT.format(secret)
    secret.write_text("far too long")
    assert await world.front() is None
    assert world.intake.trouble == (f"auth_file {secret}: holds 12 octets, a password has 1 to 8")
    secret.write_text("s3cret\n")
    front = await world.front()
    assert front is not None
    assert (front.version, front.authentication) == (2, b"s3cret")
    assert world.intake.trouble is None
    assert (world.intake.revision or "").startswith("1")


@contextmanager
def nobody() -> Iterator[None]:
    """Be somebody who is kept out of what is not readable: root reads everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


async def test_a_password_that_vrrp_may_not_read_is_told_with_what_mends_it(
    open_path: Path,
) -> None:
    world, secret = World(), open_path / "pass"
    secret.touch(0o000)
    await world.apply(1, version=2, auth_file=str(secret))
    with nobody():
        assert await world.front() is None
    assert "not readable by vrrp; chown root:" in str(world.intake.trouble)


async def test_a_newer_config_is_taken_instead_of_one_that_waits(tmp_path: Path) -> None:
    world = World()
    await world.apply(1, version=2, auth_file=str(tmp_path / "pass"))
    assert await world.front() is None
    await world.apply(2)
    front = await world.front()
    assert front is not None
    assert front.version == 3
    assert world.intake.trouble is None


async def test_what_waits_is_tried_again_and_what_does_not_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "RETRY", 0.01)
    world, secret, tried = World(), tmp_path / "pass", asyncio.Event()

    async def again() -> None:
        if await world.front() is not None:
            tried.set()

    await world.apply(1, version=2, auth_file=str(secret))
    assert await world.front() is None
    retrying = asyncio.create_task(world.intake.tend(again))
    secret.write_text("s3cret")
    async with asyncio.timeout(60):
        await tried.wait()
    retrying.cancel()
    await asyncio.wait({retrying})


async def test_whoever_asks_has_the_config_taken_once_more(tmp_path: Path) -> None:
    world, secret, taken = World(), tmp_path / "pass", list[bytes | None]()
    secret.write_text("old")

    async def again() -> None:
        front = await world.front()
        taken.append(None if front is None else front.authentication)

    await world.apply(1, version=2, auth_file=str(secret))
    await again()
    tending = asyncio.create_task(world.intake.tend(again))
    secret.write_text("new")
    world.asked.set()
    async with asyncio.timeout(60):
        while len(taken) < 2:  # noqa: ASYNC110 - the list is the tending task's
            await asyncio.sleep(0.01)
    tending.cancel()
    await asyncio.wait({tending})
    assert taken == [b"old", b"new"]

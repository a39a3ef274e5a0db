"""The reporter's tracking: real programs and files in, orders to the machine out."""

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from libra_runtime.memory import MemoryJournal
from libra_runtime.memory_log import MemoryLog
from libra_runtime.stamp import draft
from libra_schemas.config import Track
from libra_schemas.events import FreshState, ServiceState
from libra_vrrp import orders
from libra_vrrp.orders import Coverage, MalformedOrder, Order
from libra_vrrp.orders import Tracked as Told
from libra_vrrp.shell import program, watchers
from libra_vrrp.shell.line import Line
from libra_vrrp.shell.tracked import Tracked

PATIENCE = 60.0
FAILS = "program gw: exit status 1: no route"


@dataclass
class World:
    """What tracks, and the machine's end of its line."""

    tracked: Tracked
    machine: socket.socket
    directory: Path
    heard: list[Order]

    def track(self, **instances: Any) -> None:
        self.tracked.weigh_by({name: Track.model_validate(one) for name, one in instances.items()})

    def program(self, script: str, **written: Any) -> dict[str, Any]:
        """Say how a program is tracked that writes down that it ran."""
        script = f"echo run >> {self.directory}/runs; {script}"
        told = {"command": ["/bin/sh", "-c", script], "every": "100ms", "rise": 1, "fall": 1}
        return {"programs": {"gw": told | written}}

    def runs(self) -> int:
        """Count how often it ran."""
        with contextlib.suppress(FileNotFoundError):
            return len((self.directory / "runs").read_text().splitlines())
        return 0

    def told(self, instance: str = "front") -> Told | None:
        """Return what the machine was told last of an instance."""
        with contextlib.suppress(BlockingIOError, MalformedOrder):
            while True:
                self.heard.append(orders.loads(self.machine.recv(1 << 18)))
        mine = [one for one in self.heard if isinstance(one, Told) and one.instance == instance]
        return mine[-1] if mine else None

    def moved(self, instance: str = "front") -> list[tuple[str, int | None, str]]:
        """Return what counts, as the machine was told."""
        told = self.told(instance)
        return [(one.source, one.by.delta, one.by.why) for one in told.moved] if told else []

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds():  # noqa: ASYNC110 - what programs do can only be looked at
                await asyncio.sleep(0.01)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@contextlib.asynccontextmanager
async def tracking(directory: Path) -> AsyncIterator[World]:
    """Track, for a machine that only listens."""
    machine, line = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    machine.setblocking(False)
    tracked = Tracked(Line(line), "a", directory / "tracked.json")
    task = asyncio.create_task(tracked.run())
    with machine, line:
        try:
            yield World(tracked, machine, directory, [])
        finally:
            task.cancel()
            await asyncio.wait({task})
            asyncio.get_running_loop().remove_reader(line.fileno())


async def test_a_program_is_told_when_it_fails_and_when_it_is_well_again(open_path: Path) -> None:
    async with tracking(open_path) as world:
        broken = open_path / "broken"
        broken.touch()
        script = f"if [ -e {broken} ]; then echo no route; exit 1; fi"
        world.track(front=world.program(script, weight=-20))
        await world.until(lambda: world.moved() == [("program.gw", -20, FAILS)])
        broken.unlink()
        await world.until(lambda: world.told() == Told("front", ()))


async def test_before_its_first_result_a_program_is_held(open_path: Path) -> None:
    async with tracking(open_path) as world:
        world.track(front=world.program("sleep 1000", every="60s", timeout="60s"))
        await world.until(lambda: world.told() == Told("front", (), held=("program.gw",)))


async def test_a_program_that_two_instances_track_runs_once(open_path: Path) -> None:
    async with tracking(open_path) as world:
        slow = world.program("exit 1", every="60s")
        heavy = world.program("exit 1", every="60s", weight=-9)
        world.track(front=slow, back=heavy)
        await world.until(lambda: world.moved("back") and world.moved("front"))
        assert [delta for _, delta, _ in world.moved() + world.moved("back")] == [None, -9]
        assert world.runs() == 1


async def test_a_program_never_runs_beside_itself(open_path: Path) -> None:
    async with tracking(open_path) as world:
        pid, twice = open_path / "pid", open_path / "twice"
        script = (
            f"if [ -e {pid} ] && kill -0 $(cat {pid}) 2>/dev/null; then touch {twice}; fi; "
            f"echo $$ > {pid}; exec sleep 1000"
        )
        world.track(front=world.program(script, timeout="100ms"))
        await world.until(lambda: world.runs() > 5)
        assert not twice.exists()
        assert world.moved() == [("program.gw", None, "program gw: not ended within 0.1 s")]


async def test_what_is_not_tracked_any_more_does_not_run(open_path: Path) -> None:
    async with tracking(open_path) as world:
        world.track(front=world.program("exit 1"))
        await world.until(world.moved)
        world.track(front={})
        assert world.told() == Told("front", ())
        others = open_path / "others"
        other = ["/bin/sh", "-c", f"echo run >> {others}"]
        world.track(front={"programs": {"other": {"command": other, "every": "100ms"}}})
        await world.until(others.exists)
        runs = world.runs()
        await world.until(lambda: len(others.read_text().splitlines()) > 3)
        assert world.runs() == runs


async def test_a_program_that_no_signal_ends_holds_nobody_up_and_counts_as_down(
    open_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by review: whoever else was to be tracked waited for it, and so did our own end."""
    monkeypatch.setattr(program, "DYING", 0.01)
    async with tracking(open_path) as world:
        broken = open_path / "broken"
        script = f"if [ -e {broken} ]; then exec sleep 1000; fi"
        stuck = world.program(script, timeout="100ms", fall=3)
        world.track(front=stuck)
        await world.until(lambda: world.told() == Told("front", ()))
        with monkeypatch.context() as beyond:
            beyond.setattr(os, "killpg", lambda *_: None)
            broken.touch()
            why = "program gw: cannot be killed"
            await world.until(lambda: world.moved() == [("program.gw", None, why)])
            runs = world.runs()
            stuck["programs"]["gw"]["timeout"] = "200ms"
            world.track(front=stuck, back={"programs": {"other": {"command": ["/bin/false"]}}})
            await world.until(lambda: world.moved("back"))
            await world.until(lambda: world.moved() == [("program.gw", None, why)])
            assert world.runs() == runs
        await world.until(lambda: world.runs() > runs)


@pytest.mark.parametrize("dying", [PATIENCE, 0.01], ids=["in-time", "late"])
async def test_a_program_that_ends_after_its_watch_did_is_reaped(
    open_path: Path, monkeypatch: pytest.MonkeyPatch, dying: float
) -> None:
    """It stayed a zombie, with its pipe open, when the config changed while it was being killed."""
    monkeypatch.setattr(program, "DYING", dying)
    killed: list[int] = []
    async with tracking(open_path) as world:
        files = open_files()
        with monkeypatch.context() as beyond:
            beyond.setattr(os, "killpg", lambda pid, _: killed.append(pid))
            world.track(front=world.program("exec sleep 1000", timeout="100ms"))
            await world.until(lambda: killed)
            world.track(front={})
            for _ in range(10):  # turns of the loop in which its watch ends
                await asyncio.sleep(0)
        os.killpg(killed[0], signal.SIGKILL)
        await world.until(lambda: not Path(f"/proc/{killed[0]}").exists())
        await world.until(lambda: open_files() == files)


async def test_a_file_on_a_disk_that_hangs_holds_nobody_up(
    open_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by review: the reporter stood still with it."""
    answers, read = threading.Event(), watchers._content

    def hangs(path: str) -> bytes:
        assert answers.wait(PATIENCE)
        return read(path)

    monkeypatch.setattr(watchers, "ANSWERS", 0.01)
    monkeypatch.setattr(watchers, "_content", hangs)
    async with tracking(open_path) as world:
        file = open_path / "hand"
        file.write_text("-15")
        hand = {"path": str(file), "weight": 2, "every": "100ms"}
        world.track(front={"files": {"hand": hand}}, back=world.program("exit 1"))
        await world.until(lambda: world.moved("back"))
        await world.until(lambda: world.tracked.trouble is not None)
        assert world.tracked.trouble == f"{file} cannot be read: its disk does not answer"
        assert world.told() == Told("front", (), held=("file.hand",))
        answers.set()
        await world.until(lambda: world.moved() == [("file.hand", -30, "file hand says -15")])
        assert world.tracked.trouble is None


async def test_a_file_counts_by_its_number_and_nonsense_as_before(open_path: Path) -> None:
    async with tracking(open_path) as world:
        file = open_path / "hand"
        world.track(front={"files": {"hand": {"path": str(file), "weight": 2, "every": "100ms"}}})
        await world.until(lambda: world.told() == Told("front", ()))
        file.write_text("-15\n")
        await world.until(lambda: world.moved() == [("file.hand", -30, "file hand says -15")])
        file.write_text("soon")
        await world.until(lambda: world.tracked.trouble is not None)
        assert world.tracked.trouble == f"{file} does not hold one whole number"
        assert world.moved()
        file.unlink()
        await world.until(lambda: not world.moved())
        assert world.tracked.trouble is None


async def test_a_change_must_last_as_long_as_the_config_says(open_path: Path) -> None:
    async with tracking(open_path) as world:
        file = open_path / "hand"
        hand = {"path": str(file), "every": "100ms", "down_for": "300ms"}
        world.track(front={"files": {"hand": hand}})
        await world.until(lambda: world.told() == Told("front", ()))
        file.write_text("1")
        await world.until(lambda: world.moved() == [("file.hand", None, "file hand says 1")])


async def test_what_was_tracked_is_tracked_again_without_a_log(open_path: Path) -> None:
    async with tracking(open_path) as world:
        world.track(front=world.program("echo no route; exit 1"))
        await world.until(world.moved)
    async with tracking(open_path) as world:
        await world.until(lambda: world.moved() == [("program.gw", None, FAILS)])


async def test_a_kept_file_that_makes_no_sense_is_no_reason_to_end(open_path: Path) -> None:
    (open_path / "tracked.json").write_text('{"front": {"programs": 5}}')
    async with tracking(open_path) as world:
        world.track(front=world.program("exit 1"))
        await world.until(world.moved)


async def test_services_are_weighed_by_what_the_log_says(open_path: Path) -> None:
    log = MemoryLog("a")
    writer, reader = MemoryJournal("a", "ipvs-writer", log), MemoryJournal("a", "vrrp", log)
    down = ServiceState(
        service="web", up=False, live_weight=0, quorum=1, hysteresis=0, eligible=0, backends=1
    )
    writer.publish(draft("service.down", ("web",), down))
    await writer.flush()
    async with tracking(open_path) as world:
        world.track(front={"services": {"web": {"weight": -30}}})
        assert world.told() == Told("front", (), held=("service.web",))
        async for stored in reader.read("service"):
            world.tracked.take(stored)
        assert world.moved() == [("service.web", -30, "service web is down")]
        world.tracked.tell()
        assert isinstance(world.told(), Told)
        assert world.heard[-1] == Coverage(None)
    await writer.close()
    await reader.close()


async def test_the_copy_of_the_connections_is_weighed_and_ends_the_wait_to_preempt(
    open_path: Path,
) -> None:
    log = MemoryLog("a")
    writer, reader = MemoryJournal("a", "ipvs-writer", log), MemoryJournal("a", "vrrp", log)
    async with tracking(open_path) as world:
        world.track(front={"sync": {"coverage": 50}})
        assert world.told() == Told("front", (), held=("sync",))
        told: list[tuple[int, float | None]] = []
        for coverage in (0.95, 0.7, 0.25):
            fresh = FreshState(own=20 * int(100 * coverage), peer=2000, coverage=coverage)
            writer.publish(draft("conn.fresh", ("all",), fresh))
            await writer.flush()
            async with aclosing(reader.read("conn.fresh")) as events:
                newest = [stored async for stored in events][-1]
            world.tracked.take(newest)
            order = world.told()
            coverages = [one for one in world.heard if isinstance(one, Coverage)]
            assert order is not None
            told.append((len(order.moved), coverages[-1].share))
        assert told == [(0, 0.95), (0, 0.7), (1, 0.25)]
        assert world.moved() == [("sync", -20, "25.0% of the peer's connections are here")]
    await writer.close()
    await reader.close()

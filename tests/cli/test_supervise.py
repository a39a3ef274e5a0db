"""Programs kept running: restarted, ended in order, never outliving their supervisor."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from libra_cli import supervise
from libra_cli.identity import own
from libra_cli.strays import Strays, start_time
from libra_cli.supervise import Program, Supervised

WAIT = "while :; do sleep 0.01; done"


async def until(truth: Callable[[], object], patience: float = 10.0) -> None:
    async with asyncio.timeout(patience):
        while not truth():  # noqa: ASYNC110 - files and processes raise no event
            await asyncio.sleep(0.01)


def shell(script: str) -> Program:
    return Program("it", ("/bin/sh", "-c", script), os.environ, own())


def supervised(tmp_path: Path, script: str, said: list[str]) -> Supervised:
    return Supervised(shell(script), Strays(tmp_path / "list"), said.append)


async def test_a_program_that_ends_is_started_again_and_the_reason_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    each = supervised(tmp_path, f"echo x >>{tmp_path}/starts; exit 3", said)
    each.start()
    await until(lambda: len(said) >= 2)
    await each.stop()
    assert said[:2] == [f"it ended with status 3; again in {delay} s" for delay in (0.1, 0.2)]
    assert len((tmp_path / "starts").read_text().split()) >= 2


async def test_a_stopped_program_gets_sigterm_and_is_not_started_again(tmp_path: Path) -> None:
    said: list[str] = []
    script = f"trap 'echo bye >{tmp_path}/bye; exit 0' TERM; touch {tmp_path}/on; {WAIT}"
    each = supervised(tmp_path, script, said)
    each.start()
    await until((tmp_path / "on").exists)
    await each.stop()
    assert (tmp_path / "bye").read_text() == "bye\n"
    assert said == []


async def test_a_program_that_is_to_restart_gets_sigterm_and_is_started_again(
    tmp_path: Path,
) -> None:
    said: list[str] = []
    each = supervised(tmp_path, f"trap 'exit 0' TERM; echo x >>{tmp_path}/starts; {WAIT}", said)
    each.start()
    await until((tmp_path / "starts").exists)
    each.restart()
    await until(lambda: (tmp_path / "starts").read_text().count("x") == 2)
    await each.stop()
    assert said == ["it ended with status 0; again in 0.1 s"]


async def test_a_program_that_does_not_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "PATIENCE", 0.2)
    said: list[str] = []
    each = supervised(tmp_path, f"trap '' TERM; touch {tmp_path}/on; {WAIT}", said)
    each.start()
    await until((tmp_path / "on").exists)
    await each.stop()
    assert said == ["it did not end within 0.2 s; killed"]


async def test_a_program_that_is_stopped_while_it_starts_ends_in_order(tmp_path: Path) -> None:
    said: list[str] = []
    each = supervised(tmp_path, "exec sleep 60", said)
    each.start()
    await asyncio.sleep(0)
    async with asyncio.timeout(supervise.PATIENCE / 2):
        await each.stop()
    assert each.pid is not None
    assert said == []


async def test_a_program_that_cannot_be_started_is_tried_again(tmp_path: Path) -> None:
    said: list[str] = []
    program = Program("it", (f"{tmp_path}/it",), os.environ, own())
    each = Supervised(program, Strays(tmp_path / "list"), said.append)
    each.start()
    await until(lambda: bool(said))
    (tmp_path / "it").write_text(f"#!/bin/sh\ntouch {tmp_path}/on; exec sleep 60\n")
    (tmp_path / "it").chmod(0o755)
    await until((tmp_path / "on").exists)
    await each.stop()
    assert said[0].startswith("it cannot be started: ")
    assert said[0].endswith("; again in 0.1 s")


async def test_a_program_that_cannot_be_noted_runs_and_ends_all_the_same(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "full").touch()
    each = Supervised(
        shell(f"touch {tmp_path}/on; exec sleep 60"),
        Strays(tmp_path / "full" / "list"),
        said.append,
    )
    each.start()
    await until((tmp_path / "on").exists)
    await each.stop()
    assert len(said) == 1
    assert "could not be noted" in said[0]


async def test_what_a_dead_program_left_behind_ends_with_it(tmp_path: Path) -> None:
    said: list[str] = []
    script = f"sleep 60 & echo $! >>{tmp_path}/children; wait"
    each = supervised(tmp_path, script, said)
    each.start()
    children = tmp_path / "children"
    await until(lambda: children.exists() and children.read_text().strip())
    orphan = int(children.read_text().split()[0])
    assert each.pid is not None
    os.kill(each.pid, signal.SIGKILL)
    await until(lambda: bool(said))
    assert said[0] == "it was ended by SIGKILL; again in 0.1 s"
    assert start_time(orphan) == 0
    await each.stop()


def test_a_killed_supervisor_takes_its_programs_along(tmp_path: Path) -> None:
    script = (
        "import asyncio, os, sys\n"
        "from pathlib import Path\n"
        "from libra_cli.identity import own\n"
        "from libra_cli.strays import Strays\n"
        "from libra_cli.supervise import Program, Supervised\n"
        "async def main():\n"
        "    each = Supervised(Program('it', ('/bin/sleep', '60'), os.environ, own()),"
        f" Strays(Path({str(tmp_path)!r}) / 'list'), print)\n"
        "    each.start()\n"
        "    while each.pid is None: await asyncio.sleep(0.01)\n"
        "    print(each.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        assert start_time(child) != 0
        supervisor.kill()
    asyncio.run(until(lambda: start_time(child) == 0))

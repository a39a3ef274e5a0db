"""Programs, really run."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from libra_notifier.retry import Delivered, Failed
from libra_notifier.shell.delivery import deliver as bounded
from libra_notifier.shell.names import Names
from libra_notifier.shell.sinks.program import deliver
from libra_schemas.config.notify import ProgramSink

pytestmark = pytest.mark.usefixtures("_open_folder")


@pytest.fixture
def _open_folder(tmp_path: Path) -> None:
    """Let nobody reach the folder: programs do not run as root."""
    if os.geteuid() == 0:
        for each in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
            each.chmod(0o755)


def script(folder: Path, body: str) -> ProgramSink:
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return ProgramSink(command=(str(path), "first"))


def spool(folder: Path) -> Path:
    """Make a folder that the program may write into."""
    path = folder / "out"
    path.mkdir()
    path.chmod(0o777)
    return path


async def test_the_event_is_on_standard_input_byte_for_byte(tmp_path: Path, make: Any) -> None:
    out = spool(tmp_path)
    notice = make.notice()
    program = script(tmp_path, f"cat > {out}/event")
    assert await deliver(program, notice) == Delivered("")
    assert (out / "event").read_bytes() == notice.raw


async def test_arguments_follow_the_command_and_nothing_of_ours_is_inherited(
    tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIBRA_SEED_FILE", "/etc/libra/notifier.seed")
    program = script(tmp_path, 'echo "$@" "$LIBRA_TYPE" "[$LIBRA_SEED_FILE]" "$(pwd)"')
    said = await deliver(program, make.notice())
    assert said == Delivered("first backend.down web/w1 backend.down [] /")


async def test_no_shell_looks_at_the_arguments(tmp_path: Path, make: Any) -> None:
    out = spool(tmp_path)
    program = ProgramSink(command=("/bin/echo", f"$(touch {out}/harm)", ";", "`id`"))
    said = await deliver(program, make.notice())
    assert isinstance(said, Delivered)
    assert "`id`" in said.detail
    assert list(out.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_a_program_never_runs_as_root(tmp_path: Path, make: Any) -> None:
    said = await deliver(script(tmp_path, "id -u; id -G"), make.notice())
    assert said == Delivered("65534 65534")


async def test_another_exit_status_is_a_failure_with_what_it_said(
    tmp_path: Path, make: Any
) -> None:
    program = script(tmp_path, "echo out; echo no pager >&2; exit 3")
    assert await deliver(program, make.notice()) == Failed("exit status 3 out no pager")


async def test_a_program_killed_by_a_signal_is_a_failure(tmp_path: Path, make: Any) -> None:
    program = script(tmp_path, "kill -9 $$")
    assert await deliver(program, make.notice()) == Failed("killed by SIGKILL")
    program = script(tmp_path, "kill -40 $$")
    assert await deliver(program, make.notice()) == Failed("killed by signal 40")


async def test_a_program_that_is_not_there_is_a_failure(make: Any) -> None:
    failed = await deliver(ProgramSink(command=("/nowhere/pager",)), make.notice())
    assert failed == Failed("/nowhere/pager: No such file or directory")


async def test_a_command_that_no_kernel_takes_is_a_failure(make: Any) -> None:
    failed = await deliver(ProgramSink(command=("/bin/echo", "a\0b")), make.notice())
    assert failed == Failed("/bin/echo: embedded null byte")


async def test_a_chatty_program_neither_blocks_nor_fills_memory(tmp_path: Path, make: Any) -> None:
    program = script(tmp_path, "head -c 1000000 /dev/zero | tr '\\0' x 2>/dev/null; exit 0")
    said = await deliver(program, make.notice())
    assert isinstance(said, Delivered)
    assert len(said.detail) <= 300


async def test_a_child_left_behind_does_not_hold_us_up(tmp_path: Path, make: Any) -> None:
    out = spool(tmp_path)
    program = script(tmp_path, f"sleep 30 & echo $! > {out}/child; exit 0")
    async with asyncio.timeout(60):
        assert isinstance(await deliver(program, make.notice()), Delivered)
    os.kill(int((out / "child").read_text()), 9)


async def test_at_the_timeout_the_whole_group_is_killed(
    tmp_path: Path, make: Any, until: Any
) -> None:
    out = spool(tmp_path)
    program = script(tmp_path, f"sleep 30 & echo $! > {out}/child; wait")
    sink = make.sink("*.*", program={"command": program.command, "timeout": "300ms"})
    assert await bounded(sink, make.notice(), Names()) == Failed("no answer within 0.3 s")
    child = Path("/proc") / (out / "child").read_text().strip()
    await until(lambda: not child.exists() or " Z " in (child / "stat").read_text())

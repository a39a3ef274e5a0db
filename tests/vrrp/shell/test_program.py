"""Real programs that hang, fork, write megabytes, and are not there."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from libra_runtime.leftovers import mark_of, sweep
from libra_vrrp.shell import program
from libra_vrrp.shell.program import MARK, Run, environment
from libra_vrrp.watched import Judged

PATIENCE = 60.0
CLEAN = environment("a", "no-reporter")


async def judged(script: str, limit: float = PATIENCE, given: Mapping[str, str] = CLEAN) -> Judged:
    run = Run(("/bin/sh", "-c", script), given)
    try:
        return await run.judge(limit)
    finally:
        await run.end()


def processes() -> list[Path]:
    return [process for process in Path("/proc").iterdir() if process.name.isdecimal()]


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended; a zombie that nobody of ours has to bury has."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


async def gone(pid: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while not is_gone(pid):  # noqa: ASYNC110 - a process that is no child can only be asked for
            await asyncio.sleep(0.01)


async def test_a_program_is_judged_by_its_exit_status_and_explains_itself() -> None:
    assert await judged("echo fine") == Judged(up=True)
    assert await judged("echo first; echo no route >&2; exit 3") == Judged(
        up=False, why="exit status 3: no route"
    )


async def test_a_program_that_writes_megabytes_is_heard_to_its_end() -> None:
    script = "head -c 5000000 /dev/zero | tr '\\0' 'x'; echo; echo so it is; exit 1"
    assert (await judged(script)).why == "exit status 1: so it is"
    assert await judged("head -c 5000000 /dev/zero") == Judged(up=True)


async def test_a_program_that_hangs_is_killed_with_all_that_it_started() -> None:
    said = await judged("sleep 1000 & echo $!; sleep 1000", limit=1.0)
    what, _, child = said.why.rpartition(": ")
    assert what == "not ended within 1 s"
    await gone(int(child))


async def test_what_a_program_leaves_in_the_background_ends_with_it() -> None:
    said = await judged("sleep 1000 & echo $!; exit 1")
    await gone(int(said.why.rpartition(": ")[2]))


async def test_a_program_that_is_given_up_is_killed() -> None:
    run = Run(("/bin/sh", "-c", "echo $$; exec sleep 1000"), CLEAN)
    waiting = asyncio.create_task(run.judge(PATIENCE))
    pid = run.pid
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    await run.end()
    assert pid not in {int(p.name) for p in processes()}


async def test_a_program_that_no_signal_ends_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As one that waits for a dead file server; its end is seen whenever it comes."""
    monkeypatch.setattr(program, "DYING", 0.01)
    run = Run(("/bin/sleep", "1000"), CLEAN)
    with monkeypatch.context() as beyond:
        beyond.setattr(os, "killpg", lambda *_: None)
        assert (await run.judge(0.01)).why == "not ended within 0.01 s"
        assert not await run.end()
        assert not is_gone(run.pid)
    monkeypatch.setattr(program, "DYING", PATIENCE)
    assert await run.end()
    assert is_gone(run.pid)


async def test_a_program_finds_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBRA_SEED_FILE", "/secret")
    script = "set -- $(env | grep -v '^_=\\|^PWD=\\|^SHLVL=' | cut -d= -f1 | sort); echo $@; exit 1"
    said = await judged(script)
    assert said.why == f"exit status 1: LANG LIBRA_NODE {MARK} PATH"
    open_too = "echo $(ls /proc/self/fd) $PWD; exit 1"
    assert (await judged(open_too)).why == "exit status 1: 0 1 2 3 /"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to give up")
async def test_a_program_is_nobody() -> None:
    assert (await judged("id -u; exit 1")).why == "exit status 1: 65534"


async def test_a_program_that_is_not_there_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Run(("/no/such",), CLEAN)
    plain = tmp_path / "plain"
    plain.touch()
    with pytest.raises(PermissionError):
        Run((str(plain),), CLEAN)


async def test_what_a_killed_reporter_left_the_next_one_kills(tmp_path: Path) -> None:
    mine, other = mark_of(tmp_path), mark_of(tmp_path.parent)
    left = Run(("/bin/sleep", "1000"), environment("a", mine))
    others = Run(("/bin/sleep", "1000"), environment("a", other))
    try:
        assert sweep(MARK, mine) == [left.pid]
        assert (await left.judge(PATIENCE)).why == "killed by SIGKILL"
        assert not is_gone(others.pid)
    finally:
        await left.end()
        await others.end()

"""What programs leave behind in sessions of their own: real processes, of a process of its own."""

import subprocess
import sys
from pathlib import Path

from libra_vrrp.shell.strays import has_adopted

PROGRAM = """
import asyncio
import os
import sys
from pathlib import Path

from libra_vrrp.shell.program import environment
from libra_vrrp.shell.strays import adopt
from libra_vrrp.shell.watchers import Watchers
from libra_vrrp.watched import ProgramWatch

directory, script = Path(sys.argv[1]), sys.argv[2]


def is_gone(name):
    return not Path("/proc", (directory / name).read_text().strip()).exists()


async def main():
    ended = asyncio.Event()
    watchers = Watchers(lambda _watch, _said: ended.set(), environment("a", "no-reporter"))
    one = ProgramWatch(("/bin/sh", "-c", script), 3600.0, 60.0, 1, 1)
    stays = f"echo $$ > {directory}/other; exec sleep 1000"
    other = ProgramWatch(("/bin/sh", "-c", stays), 1.0, 900.0, 1, 1)
    watchers.serve(frozenset({one, other}))
    task = asyncio.create_task(watchers.run())
    await ended.wait()
    async with asyncio.timeout(60):
        while not (is_gone("first") and is_gone("second")):
            await asyncio.sleep(0.01)
    assert not is_gone("other")
    task.cancel()
    await asyncio.wait({task})
    assert is_gone("other")


adopt()
asyncio.run(main())
"""


def test_nothing_else_is_a_subreaper() -> None:
    """The tests least of all: other children of theirs would be killed."""
    assert not has_adopted()


def test_what_left_for_a_session_of_its_own_ends_soon_and_what_runs_stays(open_path: Path) -> None:
    """Also what it left behind itself, in yet another session, without its environment."""
    second, first = open_path / "second", open_path / "first"
    (open_path / "inner").write_text(f"echo $$ > {second}; exec sleep 1000")
    (open_path / "outer").write_text(
        f"setsid env -i /bin/sh {open_path}/inner & echo $$ > {first}; exec sleep 1000"
    )
    script = (
        f"setsid /bin/sh {open_path}/outer & "
        f"while ! [ -s {first} ] || ! [ -s {second} ]; do sleep 0.01; done; exit 1"
    )
    argv = [sys.executable, "-c", PROGRAM, str(open_path), script]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr

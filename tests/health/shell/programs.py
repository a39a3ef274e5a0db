"""What tests of programs need: a place to write to, and a look at what runs."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 20.0


def eventually(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.005)


@contextmanager
def open_ground() -> Iterator[Path]:
    """Make a directory that programs may write to, whoever they run as."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o777)
        yield path


def is_gone(pid: int) -> bool:
    """Whether nothing runs by that number; what init has not reaped yet does not run."""
    return _stat(pid)[:1] in ([], ["Z"])


def children() -> set[int]:
    """List the children of this process, those that are not reaped among them."""
    return {pid for pid in _processes() if _stat(pid)[1:2] == [str(os.getpid())]}


@contextmanager
def no_children_left() -> Iterator[None]:
    """See to it that no more children are there afterwards, alive or unreaped."""
    before = children()
    yield
    assert children() - before == set()


def _processes() -> Iterator[int]:
    yield from (int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal())


def _stat(pid: int) -> list[str]:
    """Read state, parent and so on of a process (proc(5)), nothing where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []

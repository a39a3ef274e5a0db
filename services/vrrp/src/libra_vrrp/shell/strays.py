"""What tracked programs leave behind where no kill of their group reaches it.

A process in a session of its own becomes our child when the program ends that it belongs to: we are
its subreaper (prctl(2)). Children whom nobody here started are such, and are killed.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

EVERY: Final = 1.0
"""Seconds between two looks."""
_PR_SET_CHILD_SUBREAPER: Final = 36
_PR_GET_CHILD_SUBREAPER: Final = 37
_THREADS: Final = Path("/proc/self/task")


def adopt() -> None:
    """Become the parent of whatever our children leave: only where every child of ours is known."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def has_adopted() -> bool:
    """Say whether this process is a subreaper."""
    told = ctypes.c_int(0)
    ctypes.CDLL(None).prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(told), 0, 0, 0)
    return told.value == 1


async def bury(ours: Callable[[], Collection[int]]) -> None:
    """End all children but `ours`, again and again; what they leave comes to us in its turn."""
    while has_adopted():
        for pid in _children() - set(ours()):
            _end(pid)
        await asyncio.sleep(EVERY)


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError, ChildProcessError):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, os.WNOHANG)


def _children() -> set[int]:
    """Return our children, also those that have ended and are not buried."""
    found: set[int] = set()
    for thread in _THREADS.iterdir():
        with contextlib.suppress(OSError):  # the thread has just ended
            found |= set(map(int, (thread / "children").read_text().split()))
    return found

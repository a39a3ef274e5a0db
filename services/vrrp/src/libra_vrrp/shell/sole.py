"""One libra-vrrp per state directory: a second one would overwrite what the first works by.

The lock is one of flock(2), on a file that root alone can open; it lasts as long as its process,
and through exec(2) where that process starts again in place.
"""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from libra_vrrp.shell.say import closed, log
from libra_vrrp.shell.waiting import waiting

_CARRIED: Final = "LIBRA_VRRP_LOCK"
_FIRST, _LONGEST = 60.0, 3600.0
"""Seconds until it is said once more who has the lock, doubled each time up to the longest."""
_LOCKS: Final = Path("/proc/locks")


class Lock:
    """Taken at once, or when whoever has it ends; where no file can be had, none is held.

    `waits` is called before it is waited for, which may take for ever.
    """

    def __init__(self, file: Path, waits: Callable[[], None] = lambda: None) -> None:
        self._descriptor = _carried(file)
        if self._descriptor is not None:
            return
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
            self._descriptor = os.open(file, flags, 0o600)
            _take(self._descriptor, file, waits)
        except OSError as wrong:
            log("the state directory cannot be kept to ourselves", "warning", why=closed(wrong))

    def carry(self) -> None:
        """Keep it through the exec(2) that follows."""
        if self._descriptor is not None:
            os.set_inheritable(self._descriptor, True)
            os.environ[_CARRIED] = str(self._descriptor)


def _take(descriptor: int, file: Path, waits: Callable[[], None]) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        waits()
        reminder = _Reminder(descriptor, file)
        with waiting(reminder.remind):
            reminder.remind()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        log("the state directory is ours now", directory=str(file.parents[1]))


class _Reminder:
    """Says who has the lock that we wait for: at once, when it is another one, and now and then."""

    def __init__(self, descriptor: int, file: Path) -> None:
        self._descriptor, self._file = descriptor, file
        self._told: str | None = None
        self._again_at, self._pause = 0.0, _FIRST

    def remind(self) -> None:
        """Say it, if it is time to."""
        holder, now = _holder(self._descriptor), time.monotonic()
        if holder == self._told and now < self._again_at:
            return
        self._told, self._again_at = holder, now + self._pause
        self._pause = min(self._pause * 2, _LONGEST)
        directory = str(self._file.parents[1])
        why = f"{holder} works there: stop it, or name another directory (LIBRA_STATE)"
        log("waiting for the state directory", "warning", directory=directory, why=why)


def _holder(descriptor: int) -> str:
    """Name the process that has the lock of a file (proc(5), /proc/locks)."""
    found = os.fstat(descriptor)
    device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    try:
        locks = [line.split() for line in _LOCKS.read_text().splitlines()]
        pid = next(one[4] for one in locks if one[1] == "FLOCK" and one[5] == device)
        words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except (OSError, StopIteration, IndexError):
        return "another libra-vrrp, which cannot be seen from here (in a container?),"
    return f"process {pid} ({b' '.join(words).decode(errors='replace')})"


def _carried(file: Path) -> int | None:
    """Return the descriptor of the lock that we had before we became this program."""
    told = os.environ.pop(_CARRIED, "")
    try:
        descriptor = int(told)
        is_it = os.path.samestat(os.fstat(descriptor), file.stat())
    except (ValueError, OSError):
        return None
    if not is_it:
        return None
    os.set_inheritable(descriptor, False)
    return descriptor

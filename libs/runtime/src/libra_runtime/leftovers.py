"""Programs that a service before this one left behind when it was killed.

They are known by a variable of their environment, whose value names the service's directory.
"""

import contextlib
import os
import signal
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")


def mark_of(directory: Path) -> str:
    """Name the services that keep their things in `directory`, one after the other."""
    found = directory.stat()
    return f"{found.st_dev}:{found.st_ino}"


def running() -> frozenset[int]:
    """List what runs on this machine, by number."""
    return frozenset(int(each.name) for each in PROC.iterdir() if each.name.isdecimal())


def sweep(variable: str, mark: str, spared: frozenset[int] = frozenset()) -> list[int]:
    """Kill what bears the mark; return whom. Those of other users cannot be ours.

    `spared`: who ran before the mark was given is not even looked at.
    """
    wanted, killed = f"{variable}={mark}".encode(), []
    for number in running() - spared:
        if wanted in _environment(number):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(number, signal.SIGKILL)
                killed.append(number)
    return killed


def _environment(number: int) -> list[bytes]:
    try:
        return (PROC / str(number) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []

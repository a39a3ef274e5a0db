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


def sweep(variable: str, mark: str) -> list[int]:
    """Kill what bears the mark; return whom. Those of other users cannot be ours."""
    wanted, killed = f"{variable}={mark}".encode(), []
    for process in PROC.iterdir():
        if process.name.isdecimal() and wanted in _environment(process):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(process.name), signal.SIGKILL)
                killed.append(int(process.name))
    return killed


def _environment(process: Path) -> list[bytes]:
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return []

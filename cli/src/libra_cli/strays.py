"""The processes of an earlier supervisor that may still run: who they are, and ending them.

A process is known by its id and its start time (proc(5), /proc/PID/stat field 22), so that a
number that the kernel gave to somebody else is never touched.
"""

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from libra_cli.processes import process
from libra_runtime.kept import keep, kept

PATIENCE = 10.0
"""Seconds a stray has to end after SIGTERM; then SIGKILL."""


class Strays:
    """The processes of this node's supervisor, on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, tuple[int, int]] = {}

    def note(self, name: str, pid: int) -> None:
        """Remember that *name* runs as *pid*."""
        self._known[name] = (pid, start_time(pid))
        keep(self._path, json.dumps(self._known).encode())

    def end(self) -> list[str]:
        """End what an earlier supervisor left; return the names of what still ran."""
        alive = [(name, pid) for name, (pid, start) in self._read() if _is(pid, start)]
        for _, pid in alive:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        for _, pid in alive:
            _await_end(pid, deadline)
        self._path.unlink(missing_ok=True)
        return [name for name, _ in alive]

    def _read(self) -> list[tuple[str, tuple[int, int]]]:
        try:
            read = json.loads(kept(self._path) or b"{}")
            return [(str(name), (int(pid), int(start))) for name, (pid, start) in read.items()]
        except (ValueError, TypeError, AttributeError):
            return []


def start_time(pid: int) -> int:
    """Read when *pid* started (clock ticks since boot), 0 where no such process runs."""
    found = process(pid)
    return found.start if found else 0


def _is(pid: int, start: int) -> bool:
    return start != 0 and start_time(pid) == start


def _await_end(pid: int, deadline: float) -> None:
    """Wait for the end of *pid*; past *deadline* (monotonic) kill it with its group."""
    start = start_time(pid)
    while _is(pid, start):
        if time.monotonic() > deadline:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
            deadline = time.monotonic() + PATIENCE
        time.sleep(0.02)

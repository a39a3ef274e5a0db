"""The processes of this host, counted by name from /proc: every second, and when one ends."""

import asyncio
import contextlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from libra_vrrp.evidence import is_alive, is_called

EVERY: Final = 1.0
PROC: Final = Path("/proc")
WATCHED: Final = 64
"""Processes whose end is waited for; that of others is seen when they are counted."""

HIDDEN: Final = (
    "other users' processes cannot be seen: mount /proc without hidepid, or with its gid= being "
    "the reporter's"
)


class Census:
    """How many processes of each name run; `trouble` says why nobody knows."""

    def __init__(self, counted: Callable[[str, int], None]) -> None:
        self.trouble: str | None = None
        self._counted = counted
        self._ends: dict[int, int] = {}
        self._over = asyncio.Event()

    async def run(self, names: frozenset[str]) -> None:
        """Count the processes of each name, again and again, until cancelled."""
        try:
            while True:
                self._over.clear()
                self._count(names)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(EVERY):
                        await self._over.wait()
        finally:
            self._watch(())

    def _count(self, names: Iterable[str]) -> None:
        if not os.access(PROC / "1/comm", os.R_OK):
            self.trouble = HIDDEN
            return
        self.trouble = None
        found = find(names)
        self._watch([pid for pids in found.values() for pid in pids][:WATCHED])
        for name in names:
            self._counted(name, len(found[name]))

    def _watch(self, pids: Iterable[int]) -> None:
        """Be told of the end of these processes, and of no others."""
        wanted, loop = set(pids), asyncio.get_running_loop()
        for pid in self._ends.keys() - wanted:
            descriptor = self._ends.pop(pid)
            loop.remove_reader(descriptor)
            os.close(descriptor)
        for pid in wanted - self._ends.keys():
            with contextlib.suppress(OSError):
                self._ends[pid] = os.pidfd_open(pid)
                loop.add_reader(self._ends[pid], self._over.set)


def find(names: Iterable[str]) -> dict[str, list[int]]:
    """Return the processes that run each program now."""
    wanted = {name: os.fsencode(name) for name in names}
    found: dict[str, list[int]] = defaultdict(list)
    for process in PROC.iterdir():
        if process.name.isdecimal():
            for name in _called(process, wanted):
                found[name].append(int(process.name))
    return found


def _called(process: Path, wanted: dict[str, bytes]) -> list[str]:
    """Return which names are those of a process that runs; one that has just ended has none."""
    try:
        comm = (process / "comm").read_bytes()
        near = [name for name, raw in wanted.items() if raw.startswith(comm.rstrip(b"\n"))]
        if not near or not is_alive((process / "stat").read_bytes()):
            return []
        line = (process / "cmdline").read_bytes()
    except OSError:
        return []
    return [name for name in near if is_called(comm, line, wanted[name])]

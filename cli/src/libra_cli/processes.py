"""What the kernel says of a process: proc(5), /proc/PID/stat and who listens on a port."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_STATE, _PARENT, _START = 0, 1, 19
"""Fields 3, 4 and 22, counted from the one after the command's closing bracket."""

_ENDED = ("Z", "X")
_AT_WORK = ("R", "D")


@dataclass(frozen=True, slots=True)
class Process:
    """A process that runs: known by its id and its start (clock ticks since boot)."""

    pid: int
    parent: int
    start: int
    state: str

    @property
    def still_runs(self) -> bool:
        """Tell whether it runs yet; its number may be somebody else's by now."""
        now = process(self.pid)
        return now is not None and now.start == self.start


def process(pid: int) -> Process | None:
    """Look at *pid*; None where no such process runs."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    if fields[_STATE] in _ENDED:
        return None
    return Process(pid, int(fields[_PARENT]), int(fields[_START]), fields[_STATE])


def is_at_work(pid: int) -> bool:
    """Tell whether a thread of *pid* computes, or waits for a disk."""
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):
            if stat.read_text().rpartition(")")[2].split()[_STATE] in _AT_WORK:
                return True
    return False


def descends(pid: int, ancestor: int) -> bool:
    """Tell whether *pid* is *ancestor* or one of its descendants."""
    while pid != ancestor:
        found = process(pid)
        if found is None or found.parent <= 1:
            return False
        pid = found.parent
    return True


def listener(port: int) -> Process | None:
    """Find who listens on TCP *port* in this network namespace; None where it may not be seen."""
    inodes = {f"socket:[{inode}]" for inode in _listening(port)}
    for links in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(str(link.readlink()) in inodes for link in links.iterdir()):
                return process(int(links.parent.name))
        except OSError:
            continue
    return None


def owner_of(port: int) -> str:
    """Name the process that listens on TCP *port* in this network namespace, "" if unknown."""
    found = listener(port)
    if found is None:
        return ""
    try:
        return f"{Path(f'/proc/{found.pid}/comm').read_text().strip()} (process {found.pid})"
    except OSError:
        return ""


def _listening(port: int) -> Iterator[str]:
    """List the inodes of listening sockets (proc(5), /proc/net/tcp: state 0A)."""
    for table in ("tcp", "tcp6"):
        try:
            lines = Path("/proc/net", table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A" and re.search(f":{port:04X}$", fields[1]):
                yield fields[9]

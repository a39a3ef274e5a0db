"""What programs, files and /proc say, read: exit statuses, last lines, numbers, names.

One rule: what others wrote is cut and escaped before anyone is told of it.
"""

import re
import signal
from typing import Final

from libra_schemas.text import evidence, one_line
from libra_vrrp.watched import Judged

TAIL: Final = 1024
"""Bytes of a program's output that are kept: the last ones."""

COMM: Final = 15
"""Bytes of a name that the kernel keeps (TASK_COMM_LEN, linux/sched.h)."""

_LONGEST: Final = 200
_NUMBER: Final = re.compile(rb"\s*([+-]?[0-9]{1,9})\s*")
_GONE: Final = b"ZXx"


def judged(status: int, tail: bytes) -> Judged:
    """Judge a program by its exit status, below 0 for a signal; its last line says why."""
    if status == 0:
        return Judged(up=True)
    return Judged(up=False, why=_why(_ended(status), tail))


def overdue(timeout: float, tail: bytes) -> Judged:
    """Judge a program that did not end in time."""
    return Judged(up=False, why=_why(f"not ended within {timeout:g} s", tail))


def _why(what: str, tail: bytes) -> str:
    last = next((line for line in reversed(tail.splitlines()) if line.strip()), b"")
    return one_line(f"{what}: {evidence(last.strip())}" if last else what, _LONGEST)


def _ended(status: int) -> str:
    if status > 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:  # a real-time signal has no name
        return f"killed by signal {-status}"


def number_in(content: bytes) -> int | None:
    """Read the one whole number that a file holds; None where it holds anything else."""
    match = _NUMBER.fullmatch(content)
    return int(match[1]) if match else None


def is_called(comm: bytes, command_line: bytes, name: bytes) -> bool:
    """Say whether a process runs the program `name`; a long one is told by the command line.

    `comm` and `command_line` are as in proc(5); a script's interpreter comes before it there.
    """
    if comm.rstrip(b"\n") != name[:COMM]:
        return False
    if len(name) <= COMM:
        return True
    return name in [part.rpartition(b"/")[2] for part in command_line.split(b"\0")[:2]]


def is_alive(stat: bytes) -> bool:
    """Say of /proc/PID/stat whether the process runs: a zombie has ended (proc(5))."""
    state = stat.rpartition(b")")[2].strip()[:1]
    return bool(state) and state not in _GONE

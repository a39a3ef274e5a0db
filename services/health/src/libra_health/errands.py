"""Errands of checks: what may hang whatever we do, and is done beside the driver's thread.

They are effects (`ReadFile`, `Execute`) and inputs (`Done`) of libra_health.wire; a check has one
errand under way at most, and its end is heard or the errand is killed.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class ReadFile:
    """Read a file of this node, at most `limit` bytes; answered by `FileRead` or `FileUnread`."""

    path: str
    limit: int = 65536


@dataclass(frozen=True, slots=True)
class Execute:
    """Run a program, without a shell, in a process group of its own; `Executed`, `Unexecuted`.

    `arguments`: the program's path first. `environment`: all of it. `user`: whose rights it has;
    "" for this service's own, or nobody's where those are root's. After an outcome the whole group
    is killed. At most `limit` bytes of its standard output are kept, with `errors` of its standard
    error among them.
    """

    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    user: str = ""
    limit: int = 4096
    errors: bool = False


Errand: TypeAlias = ReadFile | Execute


@dataclass(frozen=True, slots=True)
class FileRead:
    """The file's content, cut at the limit; `age`: seconds since it was written."""

    data: bytes
    age: float


@dataclass(frozen=True, slots=True)
class FileUnread:
    """The file could not be read."""

    errno: int


@dataclass(frozen=True, slots=True)
class Executed:
    """The program ended: exit status, or minus the signal that ended it; its output."""

    status: int
    output: bytes


@dataclass(frozen=True, slots=True)
class Unexecuted:
    """The program could not be started."""

    detail: str


Done: TypeAlias = FileRead | FileUnread | Executed | Unexecuted


def how_ended(status: int) -> str:
    """Say in words how a program ended (`Executed.status`)."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"

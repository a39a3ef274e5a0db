"""Whose rights a program has: never more than those that the config names.

The one rule: a program runs as root only where nobody but root could have changed it.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NOBODY: Final = "nobody"
_NUMBER_OF_NOBODY: Final = 65534
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Rights:
    """Who a program runs as; None leaves what we are."""

    user: int | None = None
    group: int | None = None
    groups: tuple[int, ...] | None = None


OURS: Final = Rights()


def rights_of(user: str, program: str) -> Rights:
    """Find the rights of *user*; "": ours, or nobody's where ours are root's.

    Raise ValueError where we may not give them, or *program* may not have them.
    """
    own = os.geteuid()
    name = user or (NOBODY if own == 0 else "")
    if not name:
        return OURS
    entry = _entry(name)
    if entry is not None and entry.pw_uid == 0 and own == 0:
        _require_roots(Path(program))
    if entry is not None and entry.pw_uid == own:
        return OURS
    if own != 0:
        raise ValueError(f"only root may run a program as {name}, and this service is not root")
    if entry is None:
        return Rights(_NUMBER_OF_NOBODY, _NUMBER_OF_NOBODY, ())
    groups = () if name == NOBODY else os.getgrouplist(name, entry.pw_gid)
    return Rights(entry.pw_uid, entry.pw_gid, tuple(groups))


def renounce() -> None:
    """Have what this thread starts inherit no capability of ours (capabilities(7), ambient)."""
    ctypes.CDLL(None).prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)


def _entry(name: str) -> pwd.struct_passwd | None:
    """Look a user up; nobody may be without an entry."""
    try:
        return pwd.getpwnam(name)
    except KeyError:
        if name == NOBODY:
            return None
        raise ValueError(f"there is no user {name} on this node") from None


def _require_roots(program: Path) -> None:
    """Refuse a program that others than root may change or replace, by itself or on its way."""
    program.stat()  # links that lead nowhere or in circles end here
    for path in _way(program):
        found = path.stat()
        if found.st_uid != 0 or found.st_mode & _OTHERS:
            raise ValueError(f"{program} does not run as root: others than root may change {path}")


def _way(path: Path) -> Iterator[Path]:
    """Give every directory and link that *path* leads through, and its end."""
    for part in (*reversed(path.parents), path):
        if part.is_symlink():
            yield from _way(part.parent / part.readlink())
        yield part

"""What stands in the way of a file or directory that permissions refuse, for who has to mend it."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Barrier:
    """The first on the way to a path that this process may not use."""

    path: Path
    is_above: bool
    owner: int
    mode: int

    def __str__(self) -> str:
        """Say who it keeps out."""
        whose = f"{self.path} is of uid {self.owner} with mode {self.mode:04o}"
        return f"{whose}, and this is uid {os.geteuid()}"


def barrier(path: Path) -> Barrier | None:
    """Find what keeps this process from *path*, which need not exist; None where nothing does."""
    whole = path.absolute()
    for directory in reversed(whole.parents):
        if not _may(directory, os.X_OK):
            return _barrier(directory, is_above=True)
    if not os.path.lexists(whole):
        return None if _may(whole.parent, os.W_OK) else _barrier(whole.parent, is_above=True)
    needed = os.R_OK | os.W_OK | os.X_OK if whole.is_dir() else os.R_OK
    return None if _may(whole, needed) else _barrier(whole, is_above=False)


def _may(path: Path, how: int) -> bool:
    """Tell whether it may be used so; of what is not there nothing is told."""
    return os.access(path, how, effective_ids=True) or not os.path.lexists(path)


def _barrier(path: Path, *, is_above: bool) -> Barrier | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return Barrier(path, is_above, found.st_uid, stat.S_IMODE(found.st_mode))

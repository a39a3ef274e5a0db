"""One libra-vrrp per state directory: a second one would overwrite what the first works by.

The lock is one of flock(2), on a file that root alone can open; it lasts as long as its process,
and through exec(2) where that process starts again in place.
"""

import fcntl
import os
from pathlib import Path
from typing import Final

from libra_vrrp.shell.say import closed, log

_CARRIED: Final = "LIBRA_VRRP_LOCK"


class Lock:
    """Taken at once, or when whoever has it ends; where no file can be had, none is held."""

    def __init__(self, file: Path) -> None:
        self._descriptor = _carried(file)
        if self._descriptor is not None:
            return
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
            self._descriptor = os.open(file, flags, 0o600)
            _take(self._descriptor, file)
        except OSError as wrong:
            log("the state directory cannot be kept to ourselves", "warning", why=closed(wrong))

    def carry(self) -> None:
        """Keep it through the exec(2) that follows."""
        if self._descriptor is not None:
            os.set_inheritable(self._descriptor, True)
            os.environ[_CARRIED] = str(self._descriptor)


def _take(descriptor: int, file: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        why = f"another libra-vrrp works there: stop it (`fuser {file}`), or name another directory"
        log("waiting for the state directory", "warning", directory=str(file.parents[1]), why=why)
        fcntl.flock(descriptor, fcntl.LOCK_EX)


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

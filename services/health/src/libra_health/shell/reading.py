"""One file read, in a thread that may hang: a dead server's disk answers to no signal."""

from __future__ import annotations

import errno
import os
import stat
import time
from pathlib import Path
from typing import Final

from libra_health.errands import Done, FileRead, FileUnread, ReadFile

_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class Reading:
    """Reads a regular file; nothing else is opened, for opening alone may block or do things."""

    def __init__(self, wanted: ReadFile) -> None:
        self._wanted = wanted

    def __str__(self) -> str:
        return self._wanted.path

    @property
    def lack(self) -> Done:
        """A file that is not read in time is our trouble, whatever is in it."""
        return FileUnread(errno.ETIMEDOUT)

    def run(self) -> Done:
        """Read; a file that is replaced meanwhile is read as it was or as it is, never mixed."""
        try:
            _require_regular(Path(self._wanted.path).stat())
            descriptor = os.open(self._wanted.path, _FLAGS)
            try:
                status = os.fstat(descriptor)
                _require_regular(status)
                data = _read(descriptor, self._wanted.limit)
            finally:
                os.close(descriptor)
        except ValueError:  # a NUL byte in the path
            return FileUnread(errno.EINVAL)
        except OSError as error:
            return FileUnread(error.errno or errno.EIO)
        return FileRead(data, max(0.0, time.time() - status.st_mtime))

    def kill(self) -> None:
        """Do nothing: a thread that reads can only be waited for."""


def _require_regular(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.ENODEV, "")


def _read(descriptor: int, limit: int) -> bytes:
    data = b""
    while len(data) < limit and (more := os.read(descriptor, limit - len(data))):
        data += more
    return data

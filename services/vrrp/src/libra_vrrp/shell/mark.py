"""The mark that a service works: it is on disk from its start to its orderly end, and no longer."""

import contextlib
import os
import threading
from pathlib import Path
from typing import Final

from libra_runtime.kept import keep
from libra_vrrp.shell.say import log

PATIENCE: Final = 1.0
"""Seconds that a disk has to take it before the service ends without that."""


class Mark:
    """`is_found` where the service before us left its own behind, and so ended out of order."""

    def __init__(self, file: Path) -> None:
        self._file, self.is_found, self._is_lifted = file, False, False
        with contextlib.suppress(OSError):
            self.is_found = file.exists()
        self._writing = threading.Thread(target=self._write, name="mark", daemon=True)

    def put(self) -> None:
        """Have the disk take it, beside everything else: nothing waits for a slow one."""
        self._writing.start()

    def lift(self) -> None:
        """Take it away once, on the disk too unless that does not answer."""
        if self._is_lifted:
            return
        self._is_lifted = True
        self._writing.join(PATIENCE)
        lifting = threading.Thread(target=self._remove, name="mark", daemon=True)
        lifting.start()
        lifting.join(PATIENCE)

    def _write(self) -> None:
        try:
            self._file.parent.mkdir(mode=0o700, exist_ok=True)
            keep(self._file, b"")
        except OSError as refused:
            _trouble("no unclean exit will be noticed", self._file, refused)

    def _remove(self) -> None:
        try:
            self._file.unlink(missing_ok=True)
            directory = os.open(self._file.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except OSError as refused:
            _trouble("this one will be taken for an unclean exit", self._file, refused)


def _trouble(so: str, file: Path, refused: OSError) -> None:
    log(
        "the mark of a working service is not as it should be",
        "warning",
        so=so,
        why=f"{file}: {refused.strerror}",
    )

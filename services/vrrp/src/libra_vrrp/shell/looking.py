"""A process that looks at the config file before anything is made, and has its routers kept."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from libra_vrrp.shell.privileges import ordinary


class Looking:
    """It imports what the guard must not, and is in no hurry.

    Where the file is wrong it has told so: this process ends with its status.
    """

    def __init__(self, config: Path) -> None:
        argv = [sys.executable, "-m", "libra_vrrp", "prepare", str(config)]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        ordinary(self._process.pid)
        said = self._process.stdout
        if said is None or not said.readline():
            self._process.communicate()
            _end_as(self._process.returncode)

    def end(self, *, is_kept: bool) -> None:
        """Have it end, and keep what it found before; end with its status where it cannot."""
        self._process.communicate(b"keep\n" if is_kept else None)
        if self._process.returncode != 0:
            _end_as(self._process.returncode)


def _end_as(status: int) -> NoReturn:
    """End with the status of who told why; who was killed could not."""
    if status < 0:
        killed = signal.Signals(-status).name
        sys.exit(f"libra-vrrp: what looks at the config was ended by {killed}; nothing started")
    sys.exit(status)

"""Standard output that may be lost: a full disk under it, or nobody who reads it any more."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

FAILED = 1
UNHEARD = 128 + 13
"""The status of what SIGPIPE ends, as a shell tells it: what was found is told to nobody."""


class OutputLost(Exception):
    """Nothing can be printed any more. It is no OSError: nobody who expects those takes it."""

    def __init__(self, number: int) -> None:
        super().__init__(f"standard output: {os.strerror(number)}")
        self.is_unheard = number == errno.EPIPE

    @property
    def status(self) -> int:
        """Give the exit status."""
        return UNHEARD if self.is_unheard else FAILED


class _Descriptor(io.FileIO):
    """Descriptor 1; after its first error it takes everything and keeps nothing."""

    is_lost = False

    def write(self, data: Any, /) -> int:
        """Write what it can; raise OutputLost the first time that it cannot."""
        if self.is_lost:
            return memoryview(data).nbytes
        try:
            return super().write(data)
        except OSError as error:
            self.is_lost = True
            raise OutputLost(error.errno or errno.EIO) from None


@contextmanager
def watched(program: str) -> Iterator[None]:
    """Have `print` raise OutputLost, and end by it: in a sentence, unless it is a closed pipe."""
    _watch()
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OutputLost as lost:
        if not lost.is_unheard:
            complain(program, lost)
        sys.exit(lost.status)


def complain(program: str, why: Exception) -> None:
    """Say on standard error why a program ends; where that is lost too the status says it."""
    with suppress(OSError):
        sys.stderr.write(f"{program}: {why}\n")
        sys.stderr.flush()


def _watch() -> None:
    """Take the place of standard output; where none is open, what is printed goes nowhere."""
    old = sys.stdout
    if old is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  to the end
        return
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(_Descriptor(old.fileno(), "wb", closefd=False)),
        encoding=old.encoding,
        errors=old.errors,
        line_buffering=old.isatty(),
    )

"""One word of memory that the machine and its guard share: by when the next sign of life comes."""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager


class Page:
    """The word, in seconds of the monotonic clock; infinity where none is promised.

    Eight aligned bytes are written at once, so neither side ever waits for the other.
    """

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, mmap.PAGESIZE)
        self._word = memoryview(self._memory).cast("d")

    @property
    def promised(self) -> float:
        """By when the machine gives its next sign of life."""
        return self._word[0] or float("inf")

    @promised.setter
    def promised(self, at: float) -> None:
        self._word[0] = at


@contextmanager
def made() -> Iterator[int]:
    """Lend the descriptor of a new page, with nothing promised; raise `OSError`."""
    descriptor = os.memfd_create("pulse")
    try:
        os.ftruncate(descriptor, mmap.PAGESIZE)
        yield descriptor
    finally:
        os.close(descriptor)

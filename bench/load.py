"""Processors that have something else to do: one process for each, ended by its id."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

BUSY = "import time\nend = time.monotonic() + {seconds}\nwhile time.monotonic() < end: pass\n"


@contextmanager
def busy(seconds: float) -> Iterator[None]:
    """Keep every processor busy while the block runs, and for so many seconds at the most."""
    program = [sys.executable, "-c", BUSY.format(seconds=seconds)]
    processes = [subprocess.Popen(program) for _ in os.sched_getaffinity(0)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()

"""Builds what lets the lab kernel run on processors with more registers than it knows (AMX)."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from libra_lab.errors import LabUnavailable

SOURCE = Path(__file__).with_name("registers.c")
COMPILERS = ("tcc", "gcc", "cc")


def preloaded() -> int:
    """Return a descriptor of the library to be preloaded: a file in memory, which any path can run.

    Raise LabUnavailable if nothing here compiles it.
    """
    compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None:
        raise LabUnavailable("the lab needs a C compiler: run `apt-get install tcc` as root")
    with tempfile.TemporaryDirectory(prefix="libra-lab-") as directory:
        library = Path(directory, "registers.so")
        made = subprocess.run(
            [compiler, "-shared", "-fPIC", "-nostdlib", "-o", library, SOURCE],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise LabUnavailable(f"{compiler} does not compile {SOURCE}:\n{made.stderr}")
        descriptor = os.memfd_create("libra-lab-registers")
        os.write(descriptor, library.read_bytes())
    return descriptor

"""Processes that listen on an abstract name, as any user may."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

NOBODY: Final = 65534

PROGRAM: Final = """
import os, socket, sys
os.setresuid(*[int(sys.argv[2])] * 3)
holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
holder.bind("\\0" + sys.argv[1])
holder.listen()
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def holding(name: str, uid: int) -> Iterator[int]:
    """Have a process of user *uid* listen on *name*, which begins with a NUL; give its pid."""
    arguments = [sys.executable, "-c", PROGRAM, name[1:], str(uid)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        try:
            yield holder.pid
        finally:
            holder.communicate()

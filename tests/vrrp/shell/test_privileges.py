"""What the processes ask of the kernel for themselves."""

import os
import subprocess
import sys

import pytest


def test_a_thread_of_the_machine_costs_little_locked_memory() -> None:
    """What a thread may write to is all there where memory is locked: 8 MiB by default.

    VmData counts it whether or not this user may lock memory; Python may take another MiB for
    objects meanwhile.
    """
    program = """
import threading
from pathlib import Path
from libra_vrrp.shell.privileges import urgent

def writable() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmData"))

urgent()
before = writable()
done = threading.Event()
threading.Thread(target=done.wait).start()
print(writable() - before)
done.set()
"""
    grown = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    assert int(grown) < 4096  # kB


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(("started_with", "kept"), [(0, []), (64640, [64640])])
def test_who_leaves_root_keeps_the_group_that_may_read_secrets(
    started_with: int, kept: list[int]
) -> None:
    program = f"""
import os
from libra_vrrp.shell.privileges import become

os.setgroups([4, 27])
os.setgid({started_with})
become(65534)
print(os.getresuid(), os.getresgid(), os.getgroups())
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    nobody = (65534,) * 3
    assert told.decode() == f"{nobody} {nobody} {kept}\n"

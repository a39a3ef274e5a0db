"""What the processes ask of the kernel for themselves."""

import subprocess
import sys


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

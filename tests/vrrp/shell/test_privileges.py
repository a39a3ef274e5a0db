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


_KEPT = """
import os
import sys
from pathlib import Path

from libra_vrrp.shell.privileges import become, keep_out

seed = os.memfd_create("seed")
os.write(seed, b"secret")
if sys.argv[1] == "kept":
    os.fchown(seed, -1, {uid})
    os.fchmod(seed, 0o640)
    become({uid})
    keep_out()
print(Path(f"/proc/self/fd/{{seed}}").read_text(), flush=True)
sys.stdin.read()
"""

_SPY = """
import ctypes
import os
import sys
from pathlib import Path

seen, process = [], Path("/proc") / sys.argv[1]
for what, look in (
    ("environ", (process / "environ").read_bytes),
    ("memory", (process / "mem").open),
    ("map", (process / "maps").read_bytes),
    ("files", lambda: list((process / "fd").iterdir())),
    ("directory", (process / "cwd").readlink),
):
    try:
        look()
        seen.append(what)
    except PermissionError:
        pass
SEIZE = 0x4206
if ctypes.CDLL(None).ptrace(SEIZE, int(sys.argv[1]), 0, 0) == 0:
    seen.append("trace")
print(*seen)
"""


@pytest.mark.parametrize("kept", [True, False])
def test_programs_of_our_user_see_nothing_of_a_process_that_keeps_them_out(*, kept: bool) -> None:
    """Found by review: what the reporter tracks could read the key of NATS in its memory."""
    uid = os.geteuid() or 65534
    argv = [sys.executable, "-c", _KEPT.format(uid=uid), "kept" if kept else "open"]
    pipe, who = subprocess.PIPE, os.geteuid() if kept else uid
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True, user=who) as one:
        assert one.stdout is not None
        assert one.stdout.readline() == "secret\n"
        spy = [sys.executable, "-c", _SPY, str(one.pid)]
        seen = subprocess.run(spy, capture_output=True, check=True, text=True, user=uid)
        one.kill()
    found = set(seen.stdout.split())
    assert found == set() if kept else {"environ", "files"} <= found

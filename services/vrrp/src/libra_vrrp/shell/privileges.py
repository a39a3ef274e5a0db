"""What the processes ask of the kernel for themselves: urgency, an end with the parent, a user."""

import contextlib
import ctypes
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

MACHINE: Final = {"NET_ADMIN": 12, "NET_RAW": 13}
REPORTER: Final = {"SETGID": 6, "SETUID": 7}
"""Capabilities by their number (linux/capability.h)."""

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_MCL_CURRENT_FUTURE: Final = 3
_REAL_TIME_PRIORITY: Final = 50
_SHELTERED: Final = -900
"""Where the OOM killer looks last, but for what it must not touch at all (proc(5))."""
_STACK: Final = 1 << 18
"""Bytes of a thread's stack; the default, 8 MiB, is all there where memory is locked."""


def lacking(needed: Mapping[str, int]) -> str | None:
    """Say in one sentence which capabilities are missing; None where all are there."""
    status = Path("/proc/self/status").read_text()
    held = int(status.partition("CapEff:")[2].split(None, 1)[0], 16)
    missing = [name for name, number in needed.items() if not held >> number & 1]
    if not missing:
        return None
    return (
        f"libra-vrrp lacks CAP_{', CAP_'.join(missing)}: run it as root and, in a container, with "
        f"`cap_add: [{', '.join(missing)}]`"
    )


def die_with_parent(number: signal.Signals) -> None:
    """Have the kernel send `number` to this process when its parent is gone (prctl(2))."""
    parent = os.getppid()
    _libc().prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


def urgent(above: int = 0) -> list[str]:
    """Take real-time priority and lock memory; return a notice for each that is not allowed.

    `above` is for who must have its turn beside a machine that spins. Threads that are started
    afterwards have small stacks; processes start with the priority and without the memory.
    """
    threading.stack_size(_STACK)
    notices: list[str] = []
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_REAL_TIME_PRIORITY + above))
    except OSError as refused:
        needs = "CAP_SYS_NICE and, in a cgroup with a budget for it, cpu.rt_runtime_us"
        notices.append(f"no real-time priority ({refused.strerror}): needs {needs}")
    if _libc().mlockall(_MCL_CURRENT_FUTURE) != 0:
        reason = os.strerror(ctypes.get_errno())
        notices.append(f"memory is not locked ({reason}): needs CAP_IPC_LOCK")
    return notices


def shelter() -> None:
    """Have the OOM killer look at this process and its children last, with CAP_SYS_RESOURCE."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(_SHELTERED))


def ordinary(pid: int) -> None:
    """Take a child out of the shelter, and have it wait for its turn like others."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))
        Path(f"/proc/{pid}/oom_score_adj").write_text("0")


def early() -> None:
    """Have this child, which will be urgent itself, start after what is and before what is not.

    It is asked by the child: the guard's word came late where it waited for a processor, and took
    from the child the priority that it had taken meanwhile.
    """
    if os.sched_getscheduler(0) == os.SCHED_RR:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


@contextlib.contextmanager
def unhurried() -> Iterator[None]:
    """Have this thread wait for its turn like others meanwhile: so processes are to be reaped.

    The kernel spins until nobody reads the /proc of who is reaped (`shrink_dcache_parent`). In real
    time that keeps the reader from the processor, and lasts for good (seen on 6.18, two guards on
    two processors for ten minutes).
    """
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    if policy & ~os.SCHED_RESET_ON_FORK not in {os.SCHED_RR, os.SCHED_FIFO}:
        yield
        return
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


def become(uid: int) -> None:
    """Give up root for `uid`, for good.

    The group that we were started with, unless root's, is kept beside: it may read the secrets.
    """
    if os.geteuid() != 0:
        return
    os.setgroups([gid] if (gid := os.getgid()) != 0 else [])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def keep_out() -> None:
    """Let nobody of our user read our memory, environment and files, or trace us.

    Such are the programs that we run (ptrace(2), proc(5)).
    """
    _libc().prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)

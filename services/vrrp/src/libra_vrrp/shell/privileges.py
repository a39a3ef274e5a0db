"""What the processes ask of the kernel for themselves: urgency, an end with the parent, a user."""

import contextlib
import ctypes
import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

MACHINE: Final = {"NET_ADMIN": 12, "NET_RAW": 13}
REPORTER: Final = {"SETGID": 6, "SETUID": 7}
"""Capabilities by their number (linux/capability.h)."""

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_MCL_CURRENT_FUTURE: Final = 3
_REAL_TIME_PRIORITY: Final = 50
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


def urgent() -> list[str]:
    """Take real-time priority and lock memory; return a notice for each that is not allowed.

    Threads that are started afterwards have small stacks.
    """
    threading.stack_size(_STACK)
    notices: list[str] = []
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_REAL_TIME_PRIORITY))
    except OSError as refused:
        needs = "CAP_SYS_NICE and, in a cgroup with a budget for it, cpu.rt_runtime_us"
        notices.append(f"no real-time priority ({refused.strerror}): needs {needs}")
    if _libc().mlockall(_MCL_CURRENT_FUTURE) != 0:
        reason = os.strerror(ctypes.get_errno())
        notices.append(f"memory is not locked ({reason}): needs CAP_IPC_LOCK")
    return notices


def prepare_interface(name: str) -> bool:
    """Have promote_secondaries set, read back; say whether it holds.

    Without it the end of a lease on an address that had become primary would take the host's own
    addresses of that subnet along (net/ipv4/devinet.c). LIBRA_PROC_SYS stands for /proc/sys, which
    is read-only in containers.
    """
    setting = _conf() / name / "promote_secondaries"
    everywhere = _conf() / "all/promote_secondaries"
    if any(map(_is_set, (setting, everywhere))):
        return True
    with contextlib.suppress(OSError):
        setting.write_text("1")
    return _is_set(setting)


def sysctl(name: str) -> str:
    """Say what is wrong with an interface that `prepare_interface` refuses, and how to mend it.

    The kernel has no IPv4 settings for an interface whose MTU is below 68 (net/ipv4/devinet.c);
    a dot in a name is a slash for sysctl(8).
    """
    if not _conf().is_dir():
        return f"{_conf().parents[1]} is missing: mount the host's /proc/sys/net there"
    if not (_conf() / name).is_dir():
        return f"{_conf() / name} is missing: IPv4 is off on {name}, give it an MTU of 68 or more"
    setting = f"net.ipv4.conf.{name.replace('.', '/')}.promote_secondaries"
    return f"{setting} is 0: run `sysctl -w {setting}=1` on the host"


def _conf() -> Path:
    return Path(os.environ.get("LIBRA_PROC_SYS", "/proc/sys")) / "net/ipv4/conf"


def _is_set(setting: Path) -> bool:
    try:
        return setting.read_text().strip() == "1"
    except OSError:
        return False


def become(uid: int) -> None:
    """Give up root for `uid`, for good, and stay readable to ourselves (/proc/self)."""
    if os.geteuid() != 0:
        return
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    _libc().prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)

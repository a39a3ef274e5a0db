"""The system calls that Python 3.11 lacks: mounts, namespaces, modules, power."""

import ctypes
import os

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
CLONE_NEWPID = 0x20000000
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MNT_DETACH = 2
PR_SET_PDEATHSIG = 1
RB_POWER_OFF = 0x4321FEDC
SYS_PIVOT_ROOT = 155
SYS_FINIT_MODULE = 313

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount `source` on `target` (mount(2)); raise OSError naming both."""
    result = _libc.mount(
        source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode()
    )
    _checked(result, f"mount {source} on {target}")


def detach(target: str) -> None:
    """Unmount `target` as soon as nothing uses it any more (umount2(2), MNT_DETACH)."""
    _checked(_libc.umount2(target.encode(), MNT_DETACH), f"unmount {target}")


def pivot_root(new_root: str, put_old: str) -> None:
    """Make `new_root` the root of every process, kernel threads included (pivot_root(2))."""
    result = _libc.syscall(SYS_PIVOT_ROOT, new_root.encode(), put_old.encode())
    _checked(result, f"pivot_root to {new_root}")


def load_module(path: str) -> None:
    """Load one kernel module file that depends on no other (finit_module(2))."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _checked(_libc.syscall(SYS_FINIT_MODULE, descriptor, b"", 0), f"load {path}")
    finally:
        os.close(descriptor)


def unshare(flags: int) -> None:
    """Leave the namespaces that `flags` name (unshare(2))."""
    _checked(_libc.unshare(flags), "unshare")


def setns(descriptor: int, flags: int = CLONE_NEWNET) -> None:
    """Move the calling thread into the namespace behind `descriptor` (setns(2))."""
    _checked(_libc.setns(descriptor, flags), "setns")


def die_with_parent(signal_number: int) -> None:
    """Have the kernel send `signal_number` to this process when its parent ends (prctl(2))."""
    _checked(_libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0), "prctl")


def power_off() -> None:
    """Stop the machine at once (reboot(2)); never call it outside the lab kernel."""
    os.sync()
    _libc.reboot(RB_POWER_OFF)

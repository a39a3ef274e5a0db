"""Make the ground a lab's command stands on: file systems, loopback, limits, module loading."""

import contextlib
import fcntl
import resource
import socket
import struct
from pathlib import Path

from libra_lab.syscalls import MS_BIND, MS_REC, mount

OPEN_FILES = 1 << 20
SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
THRESHOLDS = {"gc_thresh1": "16384", "gc_thresh2": "32768", "gc_thresh3": "65536"}


def fresh(target: str, mode: str = "0755", kind: str = "tmpfs") -> None:
    """Mount an empty file system of memory on `target`, which is made if missing."""
    Path(target).mkdir(parents=True, exist_ok=True)
    mount(kind, target, kind, options=f"mode={mode}" if kind == "tmpfs" else "")


def bind(source: str, target: str) -> None:
    """Show the file or directory `source` at `target` too."""
    if Path(source).is_dir():
        Path(target).mkdir(parents=True, exist_ok=True)
    else:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(target).touch()
    mount(source, target, flags=MS_BIND | MS_REC)


def loopback_up() -> None:
    """Bring up `lo` in the current network namespace (netdevice(7))."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(sock, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def raise_limits() -> None:
    """Allow many open files and many neighbours, as far as this kernel lets us."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    for family in ("ipv4", "ipv6"):
        for name, value in THRESHOLDS.items():
            with contextlib.suppress(OSError):
                Path(f"/proc/sys/net/{family}/neigh/default/{name}").write_text(value)

"""As whom each process runs: privileged only where the kernel demands it (design §2).

A process gets the system user `libra-<name>` where there is one, else a fixed number of its own;
one group, `libra` or a fixed number, lets all of them use the node's directories.
"""

import grp
import os
import pwd
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

PRIVILEGED = frozenset({"vrrp", "ipvs-writer"})
SERVER = "nats-server"

PING_GROUPS = Path("/proc/sys/net/ipv4/ping_group_range")
"""Which groups may open ICMP echo sockets without a capability (icmp(7))."""

_GROUP = 64640
_NUMBERS = {SERVER: 64640, "health": 64641, "notifier": 64642, "console": 64643}
"""Between Debian's local users (below 60000) and nobody (65534), outside systemd's ranges."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Numeric user and group."""

    uid: int
    gid: int


def own() -> Identity:
    """Give the identity of this very process."""
    return Identity(os.geteuid(), os.getegid())


def group() -> int:
    """Find the number of the group that LibrA's processes share."""
    try:
        return grp.getgrnam("libra").gr_gid
    except KeyError:
        return _GROUP


def chosen(name: str) -> Identity:
    """Choose who *name* runs as, for a supervisor that is root; others have no choice."""
    if os.geteuid() != 0:
        return own()
    if name in PRIVILEGED:
        return Identity(0, group())
    try:
        return Identity(pwd.getpwnam(f"libra-{name}").pw_uid, group())
    except KeyError:
        return Identity(_NUMBERS[name], group())


def capabilities(name: str, identity: Identity, *, marks: bool = False) -> tuple[str, ...]:
    """List what *name* keeps of root's: health pings, where icmp(7) sockets exclude its group.

    It *marks* its probes by the same privilege (socket(7), SO_MARK; Linux >= 5.17).
    """
    if os.geteuid() != 0 or identity.uid == 0 or name != "health":
        return ()
    if marks:
        return ("net_raw",)
    lowest, highest = map(int, PING_GROUPS.read_text().split())
    return () if lowest <= identity.gid <= highest else ("net_raw",)


def reachable(identity: Identity, paths: Iterable[Path]) -> Path | None:
    """Find the first of *paths* that *identity* may not read, None where it may read all."""
    listed = list(paths)
    if identity.uid == os.geteuid():
        return None
    child = os.fork()
    if child == 0:
        os._exit(_probe(identity, listed))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return None if status == 0 else listed[min(status, len(listed)) - 1]


def _probe(identity: Identity, paths: list[Path]) -> int:
    """Become *identity*; give the position (from 1) of the first unreadable path, 0 for none."""
    try:
        os.setgroups([identity.gid])
        os.setgid(identity.gid)
        os.setuid(identity.uid)
        for position, path in enumerate(paths, 1):
            if not os.access(path, os.R_OK | os.X_OK):
                return min(position, 254)
    except OSError:
        return 255
    return 0


def code() -> tuple[Path, ...]:
    """List what a process must be able to read to run at all: the interpreter and the packages."""
    specs = (find_spec(name) for name in ("libra_schemas", "libra_runtime", "pydantic"))
    packages = [Path(spec.origin).parent for spec in specs if spec and spec.origin]
    return (Path(sys.executable), *packages)

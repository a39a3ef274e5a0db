"""How the reporter leaves root behind and keeps what it needs: its directory and its key."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Final

from libra_runtime.settings import Edge
from libra_vrrp.shell.privileges import become
from libra_vrrp.shell.say import closed

LATE: Final = (
    "nats.aio.client", "nats.errors", "nkeys", "structlog.dev", "encodings.idna",
    "encodings.utf_8_sig", "pydantic.type_adapter",
)  # fmt: skip
"""What libraries import only when they need it: by then `uid` may not be let through to them."""

_SHARED: Final = 0o770
"""The list of routers in it holds passwords."""


def move_in(edge: Edge, directory: Path, uid: int) -> Edge:
    """Prepare `directory`, become `uid` in it, and return the edge as it is seen from there.

    Everything is relative to the directory afterwards, so nothing above it has to let `uid`
    through, nor anything above our code; the NATS key is carried along in memory. Works without
    CAP_CHOWN. Raise `OSError` where the directory or the key is not to be had.
    """
    fetch_late(*(["libra_vrrp.shell.meters"] if edge.metrics_port else []))
    seed = None if edge.seed_file is None else _carry(edge.seed_file, uid)
    if os.geteuid() == 0 and uid != 0:
        _furnish(directory, uid)
    directory.mkdir(parents=True, exist_ok=True)
    os.chdir(directory)
    become(uid)
    return replace(edge, state=Path(), seed_file=seed)


def fetch_late(*beside: str) -> None:
    """Import what would be imported late."""
    for name in (*LATE, *beside):
        import_module(name)


def list_mode() -> int:
    """Return who may read the list of routers: its directory keeps strangers out.

    The machine is root, which may have no right to what is another user's alone.
    """
    return 0o600 if os.geteuid() == 0 else 0o644


def explained(wrong: Exception) -> str:
    """Say in one sentence why `move_in` failed."""
    return closed(wrong) if isinstance(wrong, OSError) else str(wrong)


def _furnish(directory: Path, uid: int) -> None:
    """Make `directory` belong to the group `uid`, and what is in it to the user."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with _group(uid):
        directory.mkdir(exist_ok=True)
    found = directory.stat()
    if found.st_gid != uid:
        os.chown(directory, 0, uid)
    if stat.S_IMODE(found.st_mode) != _SHARED:
        directory.chmod(_SHARED)


def _carry(file: Path, uid: int) -> Path:
    """Copy a small secret into memory that `uid` may read, and return its path."""
    secret = file.read_bytes()
    with _group(uid):
        descriptor = os.memfd_create("seed", 0)
    os.fchmod(descriptor, 0o640)
    os.write(descriptor, secret)
    return Path(f"/proc/self/fd/{descriptor}")


@contextmanager
def _group(gid: int) -> Iterator[None]:
    """Let root make things that belong to group `gid`, for a moment."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(gid)
    try:
        yield
    finally:
        os.setegid(0)

"""Enter a network namespace from Python without starting a process.

A namespace belongs to a thread (setns(2)), so what is to happen inside is called on a short-lived
thread of its own: sockets that it opens, and processes that it starts, stay in there.
"""

import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, ParamSpec, TypeVar

from libra_lab.syscalls import (
    CLONE_NEWNET,
    CLONE_NEWNS,
    MS_REC,
    MS_SLAVE,
    detach,
    mount,
    setns,
    unshare,
)

NAMESPACES = "/run/netns"
NOTES = "/run/libra-lab"
P = ParamSpec("P")
T = TypeVar("T")


def note(namespace: str, environment: Mapping[str, str]) -> None:
    """Keep what a visitor's command is to find in its environment in there (see `lab/enter`)."""
    with contextlib.suppress(FileNotFoundError):  # outside of a lab nobody visits
        Path(NOTES, namespace).write_text(json.dumps(dict(environment)))


def noted(namespace: str) -> dict[str, str]:
    """Return what `note` kept; nothing where it kept nothing."""
    try:
        kept: dict[str, str] = json.loads(Path(NOTES, namespace).read_text())
    except FileNotFoundError:
        return {}
    return kept


def enter(namespace: str) -> None:
    """Move the calling thread into the named network namespace; there is no way back."""
    descriptor = os.open(f"{NAMESPACES}/{namespace}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        setns(descriptor, CLONE_NEWNET)
    finally:
        os.close(descriptor)


def call_inside(
    namespace: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Call `function` on a thread inside `namespace`; return or raise what it does."""
    results: list[T] = []
    errors: list[BaseException] = []

    def body() -> None:
        try:
            enter(namespace)
            results.append(function(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001  it is raised again by the caller
            errors.append(error)

    thread = threading.Thread(target=body, name=f"in {namespace}", daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def own_sysfs() -> None:
    """Give the calling thread, and what it starts, a /sys that shows its own interfaces."""
    unshare(CLONE_NEWNS)
    mount("none", "/", flags=MS_REC | MS_SLAVE)
    detach("/sys")
    mount("sysfs", "/sys", "sysfs")


def start_inside(
    namespace: str,
    argv: Sequence[str],
    *,
    environment: dict[str, str] | None = None,
    stdout: int | IO[Any] | None = None,
    stderr: int | IO[Any] | None = None,
) -> subprocess.Popen[str]:
    """Start a program inside `namespace`, in a session of its own and with a /sys that fits."""

    def start() -> subprocess.Popen[str]:
        own_sysfs()
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
            text=True,
        )

    return call_inside(namespace, start)


def processes_inside(namespace: str) -> list[int]:
    """Return the ids of all processes whose network is `namespace`."""
    wanted = Path(NAMESPACES, namespace).stat().st_ino
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            inode = (entry / "ns/net").stat().st_ino
        except OSError:
            continue
        if inode == wanted and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found

"""`net.ipv4.vs.*` and what else forwarding needs: set where we may, verify always."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROC_SYS = "LIBRA_PROC_SYS"
"""Names the directory that stands for /proc/sys, which is read-only in containers."""


@dataclass(frozen=True, slots=True)
class WrongValue:
    """A sysctl that is not as it must be; *found* is None where the kernel has no such."""

    name: str
    wanted: str
    found: str | None

    def __str__(self) -> str:
        """Say what is wrong and the line that mends it."""
        if not _path("net").is_dir():
            return (
                f"{_path('net')} is missing: mount the host's /proc/sys/net there; meanwhile "
                f"{self.name} and others are neither set nor verified."
            )
        if self.found is None:
            return f"This kernel has no {self.name} (wanted {self.wanted!r})."
        return (
            f"{self.name} is {self.found!r}: run "
            f"`sysctl -w {self.name}='{self.wanted}'` on the host."
        )


def read(name: str) -> str | None:
    """Read a sysctl, white space made single; None where there is none."""
    try:
        return " ".join(_path(name).read_text().split())
    except OSError:
        return None


def ensure(wanted: Mapping[str, str]) -> list[WrongValue]:
    """Set what differs, read everything back, and name what is still wrong."""
    for name, value in wanted.items():
        if read(name) not in (value, None):
            _write(name, value)
    return verify(wanted)


def verify(wanted: Mapping[str, str]) -> list[WrongValue]:
    """Name every sysctl that is not as *wanted*."""
    found = {name: read(name) for name in wanted}
    return [
        WrongValue(name, value, found[name])
        for name, value in wanted.items()
        if found[name] != value
    ]


def _path(name: str) -> Path:
    """Find a sysctl's file; where its name has a slash, the file's name has a dot (sysctl(8))."""
    return Path(os.environ.get(PROC_SYS, "/proc/sys")) / name.translate(str.maketrans("./", "/."))


def _write(name: str, value: str) -> None:
    try:
        _path(name).write_text(f"{value}\n")
    except OSError:
        return  # a read-only /proc/sys: `verify` names the line to run on the host

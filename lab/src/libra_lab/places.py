"""Where a running lab can be found: one socket for each, in a directory of its user's own."""

import contextlib
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from libra_lab.errors import LabUnavailable

ROOT = Path("/tmp")  # noqa: S108  the directory below it is checked; TMPDIR may differ by shell
OWN = 0o700


@dataclass(frozen=True, slots=True)
class Place:
    """One running lab: the process id of its `lab/run` and the socket that leads in."""

    lab: int
    path: Path

    @property
    def command(self) -> str:
        """What it was started with, as far as its user may see it."""
        try:
            words = Path(f"/proc/{self.lab}/cmdline").read_bytes().decode(errors="replace")
        except OSError:
            return "?"
        return " ".join(words.rstrip("\0").split("\0")[1:])


def directory() -> Path:
    """Return the directory of this user's labs, made if missing.

    Raise LabUnavailable if it is somebody else's or open to others.
    """
    path = ROOT / f"libra-lab-{os.geteuid()}"
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=OWN)
    facts = path.lstat()
    own = stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid()
    if not own or stat.S_IMODE(facts.st_mode) != OWN:
        raise LabUnavailable(f"{path} is not a directory of yours alone: remove it")
    return path


def offer() -> tuple[Place, socket.socket]:
    """Listen for visitors to the lab of this process; raise LabUnavailable or OSError."""
    place = Place(os.getpid(), directory() / f"{os.getpid()}.sock")
    place.path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(place.path))
    listener.listen()
    return place, listener


def connect(place: Place) -> socket.socket | None:
    """Connect to a lab; return None, and forget it, if nobody is there any more."""
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.connect(str(place.path))
    except (ConnectionRefusedError, FileNotFoundError):
        sock.close()
        place.path.unlink(missing_ok=True)
        return None
    return sock


def running() -> list[Place]:
    """List the labs of this user that said where they are, oldest first."""
    found = [path for path in directory().glob("*.sock") if path.stem.isdigit()]
    return [
        Place(int(path.stem), path) for path in sorted(found, key=lambda path: path.stat().st_mtime)
    ]


def choose(wanted: int | None) -> socket.socket:
    """Connect to this user's lab, or the `wanted` one of several; else raise LabUnavailable."""
    open_labs = [
        (place, sock)
        for place in running()
        if wanted in (None, place.lab) and (sock := connect(place)) is not None
    ]
    if len(open_labs) == 1:
        return open_labs[0][1]
    for _, sock in open_labs:
        sock.close()
    if open_labs:
        named = "; ".join(f"--lab {place.lab} ({place.command})" for place, _ in open_labs)
        raise LabUnavailable(f"{len(open_labs)} labs of yours are running, name one: {named}")
    which = "no lab of yours is running" if wanted is None else f"no lab {wanted} is running"
    raise LabUnavailable(f"{which}: start one with `make demo KEEP=1` or lab/run")

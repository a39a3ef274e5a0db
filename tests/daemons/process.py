"""Starts a daemon without privileges, waits until its port answers, and stops it."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 60.0
"""Seconds for which a daemon is waited for; a busy machine takes its time."""


@dataclass(frozen=True)
class Daemon:
    """A daemon that answers: where, and what it has written to its log."""

    port: int
    log: Path
    address: str = "127.0.0.1"

    def told(self) -> str:
        """Read its log, "" while there is none."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def has_told(self, words: str, times: int = 1) -> str:
        """Wait until its log says *words* so many times; gives the log."""
        deadline = time.monotonic() + PATIENCE
        while (log := self.told()).count(words) < times:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{words!r} is not {times} times in {log}")
            time.sleep(0.02)
        return log


class NotStarted(RuntimeError):
    """A daemon did not come up; says what its log says."""


def free_port(address: str = "127.0.0.1") -> int:
    """Find a TCP port that nobody listens on."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as sock:
        sock.bind((address, 0))
        return int(sock.getsockname()[1])


def account() -> str:
    """Name the user that daemons run as: `nobody` where we are root, else ourselves."""
    return "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


@contextmanager
def folder() -> Iterator[Path]:
    """Make a directory that the daemon's user owns; its path is short, as Unix sockets want it."""
    path = Path(tempfile.mkdtemp(prefix="libra-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(path, account())
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def put(path: Path, text: str) -> Path:
    """Write a file that the daemon's user owns."""
    path.write_text(text)
    if os.geteuid() == 0:
        shutil.chown(path, account())
    return path


def unprivileged(arguments: Sequence[str | Path]) -> list[str]:
    """Name the command that runs *arguments* as the daemon's user and ends with this process."""
    drop = ["setpriv", "--pdeathsig", "TERM"]
    if os.geteuid() == 0:
        user = pwd.getpwnam(account())
        drop += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return [*drop, "--", *map(str, arguments)]


def prepare(arguments: Sequence[str | Path], where: Path, told: Path | None = None) -> None:
    """Run to its end what a daemon needs before its start; *told* is its standard input."""
    with Path(told or os.devnull).open("rb") as given:
        done = subprocess.run(
            unprivileged(arguments), cwd=where, stdin=given, check=False, capture_output=True,
            timeout=PATIENCE,
        )  # fmt: skip
    if done.returncode:
        raise NotStarted((done.stdout + done.stderr).decode(errors="replace"))


@contextmanager
def running(
    arguments: Sequence[str | Path], where: Path, *ports: int, log: Path | None = None
) -> Iterator[Daemon]:
    """Run a daemon in the foreground until the block ends; its output goes to *log*.

    Yields once it accepts connections on all *ports*; raises `NotStarted` where it does not.
    """
    output = where / "output"
    with output.open("ab") as out:
        process = subprocess.Popen(
            unprivileged(arguments), cwd=where, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        daemon = Daemon(ports[0], log or output)
        _wait(process, ports, output)
        yield daemon
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
        process.kill()
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", ports: Sequence[int], output: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    for port in ports:
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise NotStarted(output.read_text(errors="replace"))
            time.sleep(0.02)


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False

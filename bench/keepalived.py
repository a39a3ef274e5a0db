"""keepalived as the peer of a row: started on a config of its own, ended by pid."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from libra_lab.node import Node

BINARY = os.environ.get("KEEPALIVED", "keepalived")
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Running:
    """A keepalived under way, and the file it reads again at SIGHUP."""

    process: "subprocess.Popen[Any]"
    config: Path

    @property
    def pid(self) -> int:
        """The parent's process id."""
        return self.process.pid


@contextmanager
def keepalived(config: str, *options: str, node: Node | None = None) -> Iterator[Running]:
    """Run keepalived on *config* while the block runs, here or on a node.

    Options choose its children.
    """
    with TemporaryDirectory(prefix="libra-bench-") as folder:
        path = Path(folder, "keepalived.conf")
        path.touch(mode=0o600)
        path.write_text(config)
        files = [f"--{kind}={folder}/{kind}" for kind in ("pid", "checkers_pid", "vrrp_pid")]
        command = [BINARY, "-n", "-D", "-f", str(path), *files, *options]
        with Path(folder, "log").open("wb") as log:
            start = subprocess.Popen if node is None else node.popen
            process: subprocess.Popen[Any] = start(command, stdout=log, stderr=log)
            try:
                yield Running(process, path)
            finally:
                process.terminate()
                process.wait(PATIENCE)


def children(pid: int) -> list[int]:
    """List the processes that *pid* started (proc(5))."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu_seconds(pid: int) -> float:
    """Read user + system time of a process (proc(5): fields 14 and 15 of stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for(
    condition: Callable[[], bool], poll: float, what: str, patience: float = PATIENCE
) -> float:
    """Wait until *condition* holds; return seconds, raise TimeoutError."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > patience:
            raise TimeoutError(what)
        time.sleep(poll)
    return time.monotonic() - started

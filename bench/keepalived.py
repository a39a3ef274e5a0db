"""keepalived as the peer of a row: started on a config of its own, ended by pid."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

BINARY = os.environ.get("KEEPALIVED", "keepalived")
PATIENCE = 60.0


@contextmanager
def keepalived(config: str, *options: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run keepalived on *config* while the block runs; options choose its children."""
    with TemporaryDirectory(prefix="libra-bench-") as folder:
        path = Path(folder, "keepalived.conf")
        path.write_text(config)
        path.chmod(0o600)
        files = [f"--{kind}={folder}/{kind}" for kind in ("pid", "checkers_pid", "vrrp_pid")]
        command = [BINARY, "-n", "-D", "-f", str(path), *files, *options]
        log = Path(folder, "log").open("wb")  # noqa: SIM115  closed below with the process
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE)
            log.close()


def children(pid: int) -> list[int]:
    """List the processes that *pid* started (proc(5))."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu_seconds(pid: int) -> float:
    """Read user + system time of a process (proc(5): fields 14 and 15 of stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for(condition: Callable[[], bool], poll: float, what: str) -> float:
    """Wait until *condition* holds; return seconds, raise TimeoutError."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > PATIENCE:
            raise TimeoutError(what)
        time.sleep(poll)
    return time.monotonic() - started

"""A machine of the lab: a network namespace with a name, addresses, links and processes."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, ParamSpec, TypeVar

from libra_lab.capture import Capture, capture
from libra_lab.commands import CommandFailed, ip
from libra_lab.inside import call_inside, processes_inside, start_inside
from libra_lab.link import Link

P = ParamSpec("P")
T = TypeVar("T")
KILL_TIMEOUT = 10.0


@dataclass(slots=True)
class Node:
    """One machine. `namespace` is its name for `ip -n`; `links` maps interfaces to their cables."""

    name: str
    namespace: str
    addresses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    started: list["subprocess.Popen[str]"] = field(default_factory=list)

    def run(
        self,
        *argv: str,
        check: bool = True,
        timeout: float = 60.0,
        environment: dict[str, str] | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program in here to its end; raise CommandFailed if `check` and it fails."""
        pipe = subprocess.PIPE
        with start_inside(
            self.namespace, argv, environment=environment, stdout=pipe, stderr=pipe
        ) as process:
            try:
                out, err = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        if check and process.returncode != 0:
            told = err.strip() or out.strip() or f"exit status {process.returncode}"
            raise CommandFailed(f"{self.name}: {' '.join(argv)}: {told}")
        return subprocess.CompletedProcess(argv, process.returncode, out, err)

    def popen(
        self,
        argv: Sequence[str],
        *,
        environment: dict[str, str] | None = None,
        stdout: int | IO[Any] | None = None,
        stderr: int | IO[Any] | None = None,
    ) -> "subprocess.Popen[str]":
        """Start a program in here; `kill`, and the end of the topology, end it."""
        process = start_inside(
            self.namespace, argv, environment=environment, stdout=stdout, stderr=stderr
        )
        self.started.append(process)
        return process

    def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a Python function in here, on a thread of its own; return or raise what it does."""
        return call_inside(self.namespace, function, *args, **kwargs)

    def ip(self, *lines: str) -> None:
        """Give `lines` to one `ip -batch` in here."""
        ip(lines, self.namespace)

    def ipvsadm(self, *argv: str) -> str:
        """Run ipvsadm in here and return what it printed; raise CommandFailed."""
        return self.run("ipvsadm", *argv).stdout

    def sysctl(self, values: Mapping[str, str | int]) -> None:
        """Write kernel settings of this namespace, with dots in their names (see sysctl.conf)."""

        def write() -> None:
            for name, value in values.items():
                Path("/proc/sys", *name.split(".")).write_text(f"{value}")

        self.call(write)

    def sysctl_value(self, name: str) -> str:
        """Return one kernel setting of this namespace."""
        return self.call(Path("/proc/sys", *name.split(".")).read_text).strip()

    def capture(
        self, interface: str, expression: str = "", *options: str
    ) -> AbstractContextManager[Capture]:
        """Capture on an interface while the block runs; see `libra_lab.capture`."""
        return capture(self.namespace, interface, expression, *options)

    def processes(self) -> list[int]:
        """Return the ids of all processes in here, however they were started."""
        return processes_inside(self.namespace)

    def signal(self, number: int, processes: Iterable[int] | None = None) -> None:
        """Send a signal to every process in here, or to those named."""
        for process in self.processes() if processes is None else processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def kill(self) -> None:
        """End every process in here at once, as a power cut would; the network stays."""
        deadline = time.monotonic() + KILL_TIMEOUT
        while left := [process for process in self.processes() if not self._collected(process)]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name}: processes {left} outlive SIGKILL")
            self.signal(signal.SIGKILL, left)
            time.sleep(0.005)
        for process in self.started:
            process.wait(KILL_TIMEOUT)
        self.started.clear()

    def _collected(self, process: int) -> bool:
        return any(child.pid == process and child.poll() is not None for child in self.started)

    def cut(self, *, silent: bool = False) -> None:
        """Cut every link; see `Link.cut`."""
        for link in self.links.values():
            link.cut(silent=silent)

    def heal(self) -> None:
        """Heal every link."""
        for link in self.links.values():
            link.heal()

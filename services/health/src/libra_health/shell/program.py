"""One run of a program: without a shell, in a group of its own, bounded in output.

The one rule: when `run` returns, its process is reaped, what it started is killed, in its group or
out of it, and its descriptors are closed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import signal
import stat
import subprocess
import threading
from pathlib import Path
from typing import Final

import structlog

from libra_health.errands import Done, Execute, Executed, Unexecuted
from libra_health.shell.rights import Rights, renounce, rights_of
from libra_runtime.leftovers import mark_of, running, sweep

log = structlog.get_logger()

MARK: Final = "LIBRA_CHECKED_BY"
"""Names in a program's environment the health service that it belongs to."""

ERRAND: Final = "LIBRA_ERRAND"
"""Names in a program's environment the run that it belongs to, also where it left its group."""

_SWEEPS: Final = 8
"""Looks in a row for what a run left behind; each after the first is for what forked meanwhile."""
_CHUNK: Final = 65536
_PACE: Final = 1
"""Milliseconds between two reads of output that nobody wants: a flood costs us little."""


class Program:
    """Runs a program once; what bears `mark` in its environment was started by this service."""

    def __init__(self, wanted: Execute, mark: str = "") -> None:
        self._wanted = wanted
        self._errand = secrets.token_hex(8)
        self._marked = (*(((MARK, mark),) if mark else ()), (ERRAND, self._errand))
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_started = self._is_killed = False

    def __str__(self) -> str:
        return self._wanted.arguments[0]

    @property
    def lack(self) -> Done | None:
        """Its start, where that takes long: the disk or the users' directory does not answer."""
        return None if self._is_started else Unexecuted(f"{self} could not be started in time")

    def run(self) -> Done:
        """Run it to its end; all that it leaves running ends with it."""
        try:
            renounce()
            _touch(self._wanted.arguments[0])
            rights = rights_of(self._wanted.user, self._wanted.arguments[0])
            reader, writer = os.pipe2(os.O_CLOEXEC)
        except (OSError, ValueError) as error:
            return Unexecuted(_said(error))
        try:
            before = running()
            try:
                process = self._start(rights, writer)
            finally:
                os.close(writer)
            try:
                return self._attend(process, reader)
            finally:
                self._clear(before)
        except (OSError, ValueError) as error:
            return Unexecuted(_said(error))
        finally:
            os.close(reader)

    def kill(self) -> None:
        """Kill its process group, now or as soon as there is one."""
        with self._lock:
            self._is_killed = True
            self._strike()

    def _start(self, rights: Rights, output: int) -> subprocess.Popen[bytes]:
        if self._is_killed:
            raise InterruptedError("not wanted any more")
        process = subprocess.Popen(
            self._wanted.arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output if self._wanted.errors else subprocess.DEVNULL,
            cwd="/",
            env=dict(self._wanted.environment + self._marked),
            start_new_session=True,
            user=rights.user,
            group=rights.group,
            extra_groups=rights.groups,
        )
        with self._lock:
            self._process = process
            self._is_started = True
            if self._is_killed:
                self._strike()
        return process

    def _attend(self, process: subprocess.Popen[bytes], reader: int) -> Done:
        """Wait for the end and reap; what is still in the pipe then is all that is heard."""
        said = bytearray()
        try:
            ended = os.pidfd_open(process.pid)
            try:
                self._listen(reader, ended, said)
            finally:
                os.close(ended)
        finally:
            status = self._reap(process)
        while len(said) < self._wanted.limit and self._hear(reader, said):
            pass
        return Executed(status, bytes(said))

    def _listen(self, reader: int, ended: int, said: bytearray) -> None:
        os.set_blocking(reader, False)
        waiting, pause = select.poll(), select.poll()
        waiting.register(ended, select.POLLIN)
        pause.register(ended, select.POLLIN)
        waiting.register(reader, select.POLLIN)
        while ended not in {descriptor for descriptor, _ in waiting.poll()}:
            if not self._hear(reader, said):
                waiting.unregister(reader)
            elif len(said) >= self._wanted.limit:
                pause.poll(_PACE)

    def _hear(self, reader: int, said: bytearray) -> bool:
        """Read once; False at the end, and where nothing is there."""
        try:
            heard = os.read(reader, _CHUNK)
        except BlockingIOError:
            return False
        said += heard[: self._wanted.limit - len(said)]
        return bool(heard)

    def _reap(self, process: subprocess.Popen[bytes]) -> int:
        """Kill what is left of the group while its number is ours for sure, then reap."""
        with self._lock:
            self._strike()
            self._process = None
        return process.wait()

    def _clear(self, before: frozenset[int]) -> None:
        """Kill what left the group, as a daemon does; `before`: who ran already."""
        killed: set[int] = set()
        for _ in range(_SWEEPS):
            found = set(sweep(ERRAND, self._errand, before))
            if found <= killed:
                break
            killed |= found

    def _strike(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)


def swept(state: Path) -> str:
    """End the programs of a service that was killed here; give the mark of those to come."""
    try:
        mark = mark_of(state)
    except FileNotFoundError:  # nothing was ever kept here
        return ""
    if killed := sweep(MARK, mark):
        log.warning("programs of an earlier health service killed", pids=killed)
    return mark


def _touch(program: str) -> None:
    """Open the program's file: on a dead server's disk that hangs, but this thread alone.

    To start a program holds the interpreter's lock until the kernel has opened that file.
    """
    if not stat.S_ISREG(Path(program).stat().st_mode):
        raise ValueError(f"{program}: not a program")
    with contextlib.suppress(PermissionError):  # whose rights it gets is not known here
        os.close(os.open(program, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))


def _said(error: OSError | ValueError) -> str:
    """Say what went wrong; Popen names the program, or where it could not go."""
    if isinstance(error, OSError) and error.errno:
        named = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        return f"{named}{os.strerror(error.errno)}"
    return str(error)

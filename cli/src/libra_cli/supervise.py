"""Programs kept running: started, started again with back-off when they end, ended in order.

A program dies with its supervisor: the kernel sends it SIGTERM (PR_SET_PDEATHSIG, prctl(2)), so
that a killed supervisor leaves nothing behind that would stand in the way of the next one, and
the programs still end in order. What they leave in the kernel stays.
"""

import asyncio
import ctypes
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import SubprocessError
from typing import IO

from libra_cli.identity import Identity, own
from libra_cli.strays import Strays

SHORTEST = 0.1
LONGEST = 10.0
"""Seconds of back-off before a program is started again; it doubles in between."""

STEADY = 10.0
"""Seconds a program must run for its back-off to start over."""

PATIENCE = 10.0
"""Seconds a program has to end after SIGTERM; then SIGKILL."""

_SWEEP = 2.0
"""Seconds that what a dead program left in its process group has to end."""

_LARGEST_OUTPUT = 16 << 20

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, as whom, with which environment; *output* takes what it prints, None = ours.

    *capabilities* (`net_raw`, ...) are all that it keeps of root's when it runs as another user.
    """

    name: str
    argv: tuple[str, ...]
    environ: Mapping[str, str]
    identity: Identity
    output: Path | None = None
    capabilities: tuple[str, ...] = ()


class Supervised:
    """One program kept running until `stop`."""

    def __init__(self, program: Program, strays: Strays, report: Report) -> None:
        self.program = program
        self._strays = strays
        self._report = report
        self._stopping = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process that runs now or ran last."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Begin to keep it running."""
        self._task = asyncio.create_task(self._keep(), name=self.program.name)

    def restart(self) -> None:
        """Ask it to end (SIGTERM); it is started again as whenever it ends."""
        self._terminate()

    async def stop(self) -> None:
        """End it: SIGTERM, PATIENCE, SIGKILL; return when it and its group are gone."""
        self._stopping.set()
        if self._task is None:
            return
        self._terminate()
        done, _ = await asyncio.wait({self._task}, timeout=PATIENCE)
        if not done and self._process is not None:
            self._report(f"{self.program.name} did not end within {PATIENCE:g} s; killed")
            _signal_group(self._process.pid, signal.SIGKILL)
        await self._task

    async def _keep(self) -> None:
        delay = SHORTEST
        while not self._stopping.is_set():
            began = time.monotonic()
            fate = await self._run()
            if self._stopping.is_set():
                return
            delay = SHORTEST if time.monotonic() - began > STEADY else delay
            self._report(f"{self.program.name} {fate}; again in {delay:g} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            delay = min(2 * delay, LONGEST)

    async def _run(self) -> str:
        """Run it once; say what became of it. A full disk or table of processes ends nobody."""
        try:
            self._process = await spawn(self.program)
        except (OSError, SubprocessError) as error:
            return f"cannot be started: {error}"
        if self._stopping.is_set():
            self._terminate()
        self._note(self._process.pid)
        status = await self._process.wait()
        await _sweep(self._process.pid)
        return _ended(status)

    def _note(self, pid: int) -> None:
        try:
            self._strays.note(self.program.name, pid)
        except OSError as error:
            self._report(f"{self.program.name} runs as {pid}, which could not be noted: {error}")

    def _terminate(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)


async def spawn(program: Program) -> asyncio.subprocess.Process:
    """Start *program* in a process group of its own, tied to this process's life."""
    supervisor = os.getpid()

    def tie() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != supervisor:
            os._exit(1)

    change = program.identity != own() and not program.capabilities
    argv = confined(program) if program.capabilities else program.argv
    with _output(program.output) as output:
        return await asyncio.create_subprocess_exec(
            *argv,
            env=dict(program.environ),
            cwd="/",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
            user=program.identity.uid if change else None,
            group=program.identity.gid if change else None,
            extra_groups=[program.identity.gid] if change else None,
            preexec_fn=tie,
        )


def confined(program: Program) -> tuple[str, ...]:
    """Have setpriv(1) become the program's user and keep its capabilities, ambient and no more."""
    kept = ",".join(f"+{name}" for name in program.capabilities)
    return (
        "setpriv",
        f"--reuid={program.identity.uid}",
        f"--regid={program.identity.gid}",
        f"--groups={program.identity.gid}",
        f"--inh-caps=-all,{kept}",
        f"--ambient-caps=-all,{kept}",
        f"--bounding-set=-all,{kept}",
        "--pdeathsig=TERM",
        *program.argv,
    )


def _output(path: Path | None) -> AbstractContextManager[IO[bytes] | None]:
    """Open what a program prints to; begin anew where the file has grown large."""
    if path is None:
        return nullcontext()
    large = path.exists() and path.stat().st_size > _LARGEST_OUTPUT
    return path.open("wb" if large else "ab")


async def _sweep(group: int) -> None:
    """End what a dead program left in its process group: SIGTERM, then SIGKILL."""
    if not _signal_group(group, signal.SIGTERM):
        return
    deadline = time.monotonic() + _SWEEP
    while _signal_group(group, 0):
        if time.monotonic() > deadline:
            _signal_group(group, signal.SIGKILL)
            return
        await asyncio.sleep(0.02)


def _signal_group(group: int, number: int) -> bool:
    """Signal a process group; tell whether anybody was in it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _ended(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"

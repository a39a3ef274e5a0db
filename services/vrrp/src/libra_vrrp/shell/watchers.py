"""What is looked at for the config's tracked objects: programs, files and processes."""

import asyncio
import errno
import os
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Final, TypeAlias, assert_never

import structlog

from libra_vrrp.evidence import number_in
from libra_vrrp.shell.beside import beside
from libra_vrrp.shell.census import Census
from libra_vrrp.shell.program import Run
from libra_vrrp.shell.strays import EVERY, bury
from libra_vrrp.streak import Streak, observe
from libra_vrrp.watched import (
    FileWatch,
    Judged,
    Number,
    ProcessWatch,
    ProgramWatch,
    Verdict,
    Watch,
)

log = structlog.get_logger()

Told: TypeAlias = Callable[[Watch, Verdict], None]
Job: TypeAlias = ProgramWatch | FileWatch | frozenset[str]
"""One task's work: a program, a file, or processes of these names."""

OURS: Final = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})
"""Why nothing can be started that is no fault of the program."""

ANSWERS: Final = 5.0
"""Seconds after which it is said that a disk does not answer."""

STUCK: Final = Judged(up=False, why="cannot be killed")

_LARGEST: Final = 64


class Watchers:
    """One task per program and file, one for all processes; `told` hears every verdict."""

    def __init__(self, told: Told, environment: Mapping[str, str]) -> None:
        self._told = told
        self._environment = environment
        self._wanted: frozenset[Job] = frozenset()
        self._changed = asyncio.Event()
        self._troubles: dict[Job, str] = {}
        self._runs: dict[tuple[str, ...], Run] = {}
        self._census = Census(lambda name, count: told(ProcessWatch(name), Number(count)))

    def serve(self, wanted: frozenset[Watch]) -> None:
        """Look at these from now on, and at nothing else."""
        self._wanted = _jobs(wanted)
        self._troubles = {one: why for one, why in self._troubles.items() if one in self._wanted}
        self._changed.set()

    @property
    def trouble(self) -> str | None:
        """Say what cannot be looked at, and why."""
        return "; ".join(filter(None, (self._census.trouble, *self._troubles.values()))) or None

    async def run(self) -> None:
        """Look, until cancelled; what is not wanted any more has ended before others begin."""
        running: dict[Job, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            group.create_task(bury(lambda: [run.pid for run in self._runs.values()]))
            group.create_task(self._end_unwatched())
            while True:
                self._changed.clear()
                wanted = self._wanted
                gone = [running.pop(one) for one in running.keys() - wanted]
                for task in gone:
                    task.cancel()
                await asyncio.gather(*gone, return_exceptions=True)
                for one in wanted - running.keys():
                    running[one] = group.create_task(self._work(one))
                await self._changed.wait()

    def _work(self, job: Job) -> Coroutine[None, None, None]:
        match job:
            case ProgramWatch():
                return self._run(job)
            case FileWatch():
                return self._read(job)
            case frozenset():
                return self._census.run(job)
            case _:
                assert_never(job)

    async def _run(self, watch: ProgramWatch) -> None:
        """Run a program again and again; the next begins when the last has ended."""
        clock, streak = asyncio.get_running_loop().time, Streak()
        while True:
            begun, known = clock(), streak
            last = self._runs.get(watch.command)
            if last is not None and not await self._end(watch.command, last):
                streak = observe(streak, STUCK, watch)
                self._tell(watch, streak.verdict)
            else:
                streak = await self._run_once(watch, streak)
            if streak.verdict is not known.verdict:
                said = streak.verdict or Judged(up=True)
                log.info("tracked", program=watch.command[0], up=said.up, why=said.why)
            await asyncio.sleep(max(begun + watch.every - clock(), 0.0))

    async def _run_once(self, watch: ProgramWatch, streak: Streak) -> Streak:
        try:
            run = Run(watch.command, self._environment)
        except OSError as refused:
            return self._refused(watch, streak, refused)
        self._runs[watch.command] = run
        self._troubles.pop(watch, None)
        try:
            streak = observe(streak, await run.judge(watch.timeout), watch)
            self._tell(watch, streak.verdict)
        finally:
            await self._end(watch.command, run)
        return streak

    async def _end(self, command: tuple[str, ...], run: Run) -> bool:
        """End a run; one that cannot be ended is remembered, so that no other begins beside it."""
        is_gone = await run.end()
        if is_gone and self._runs.get(command) is run:
            del self._runs[command]
        return is_gone

    async def _end_unwatched(self) -> None:
        """End what could not be ended when its watch was, again and again."""
        while True:
            await asyncio.sleep(EVERY)
            watched = {one.command for one in self._wanted if isinstance(one, ProgramWatch)}
            for command in self._runs.keys() - watched:
                await self._end(command, self._runs[command])

    def _refused(self, watch: ProgramWatch, streak: Streak, refused: OSError) -> Streak:
        """Judge a program that could not be started, unless it is we who cannot start any."""
        what = f"cannot be run: {refused.strerror}"
        if refused.errno in OURS:
            self._complain(watch, f"{watch.command[0]} {what}; what it said last counts")
            return streak
        self._troubles.pop(watch, None)
        streak = observe(streak, Judged(up=False, why=what), watch)
        self._tell(watch, streak.verdict)
        return streak

    async def _read(self, watch: FileWatch) -> None:
        """Read a file again and again; what makes no sense counts as it did before."""
        while True:
            number = await self._number(watch)
            if number is not None:
                self._troubles.pop(watch, None)
                self._told(watch, Number(number))
            await asyncio.sleep(watch.every)

    async def _number(self, watch: FileWatch) -> int | None:
        """Return the number in a file, however long its disk takes; None if there is none."""
        try:
            found = await self._content(watch)
        except FileNotFoundError:
            return 0
        except OSError as wrong:
            self._complain(watch, f"{watch.path} cannot be read: {wrong.strerror}")
            return None
        number = number_in(found)
        if number is None:
            self._complain(watch, f"{watch.path} does not hold one whole number")
        return number

    async def _content(self, watch: FileWatch) -> bytes:
        """Read the beginning of a file; raise `OSError`."""
        reading = beside(partial(_content, watch.path))
        while not (await asyncio.wait({reading}, timeout=ANSWERS))[0]:
            self._complain(watch, f"{watch.path} cannot be read: its disk does not answer")
        found = reading.result()
        if isinstance(found, OSError):
            raise found
        return found

    def _tell(self, watch: ProgramWatch, verdict: Judged | None) -> None:
        if verdict is not None:
            self._told(watch, verdict)

    def _complain(self, job: Job, what: str) -> None:
        """Say once what cannot be looked at."""
        if self._troubles.get(job) != what:
            self._troubles[job] = what
            log.warning("tracked object cannot be looked at, its last value counts", why=what)


def _jobs(wanted: frozenset[Watch]) -> frozenset[Job]:
    names = frozenset(one.name for one in wanted if isinstance(one, ProcessWatch))
    others = frozenset(one for one in wanted if not isinstance(one, ProcessWatch))
    return others | frozenset({names} if names else ())


def _content(path: str) -> bytes:
    """Read the beginning of a file, and never wait for a pipe or a terminal."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        return os.read(descriptor, _LARGEST)
    finally:
        os.close(descriptor)

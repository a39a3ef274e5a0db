"""One run of a tracked program: without a shell, unprivileged, bounded in time and in output."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, Final

from libra_vrrp.evidence import TAIL, judged, overdue
from libra_vrrp.settings import NOBODY
from libra_vrrp.watched import Judged

MARK: Final = "LIBRA_TRACKED_BY"
"""Names in a program's environment the reporter that it belongs to."""

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CHUNK: Final = 1 << 16

DYING: Final = 1.0
"""Seconds that a process which was killed may take to be gone."""


class Run:
    """A program that was started, in a session of its own; `end` it whatever happens.

    Raise `OSError` where it cannot be started. What it writes is read and, but for the end, thrown
    away. What it leaves in its group ends with it.
    """

    def __init__(self, command: tuple[str, ...], environment: Mapping[str, str]) -> None:
        self._tail = b""
        self._ended = asyncio.Event()
        with ExitStack() as stack:
            self._output, given = os.pipe()
            stack.callback(os.close, self._output)
            try:
                self._process = _start(command, environment, given)
            finally:
                os.close(given)
            try:
                pidfd = os.pidfd_open(self._process.pid)
            except OSError:
                self._kill()
                self._process.wait()
                raise
            stack.callback(os.close, pidfd)
            os.set_blocking(self._output, False)
            self._await(stack, self._output, self._read)
            self._await(stack, pidfd, self._ended.set)
            self._open = stack.pop_all()

    @property
    def pid(self) -> int:
        """The process id, and the number of its session and group."""
        return self._process.pid

    async def judge(self, limit: float) -> Judged:
        """Wait for its end, at most `limit` seconds."""
        try:
            async with asyncio.timeout(limit):
                await self._ended.wait()
        except TimeoutError:
            return overdue(limit, self._tail)
        self._kill()
        self._read()
        return judged(self._process.wait(), self._tail)

    async def end(self) -> bool:
        """Kill its process group, and say whether it is gone.

        What waits for a disk or a dead server may be beyond any signal: after `DYING` seconds
        nobody waits any longer, and it is to be ended once more. Cancelled meanwhile, it waits for
        that first.
        """
        ending = asyncio.ensure_future(self._end())
        try:
            return await asyncio.shield(ending)
        except asyncio.CancelledError:
            await asyncio.wait({ending})
            raise

    async def _end(self) -> bool:
        if self._process.returncode is None:
            self._kill()
            try:
                async with asyncio.timeout(DYING):
                    await self._ended.wait()
            except TimeoutError:
                return False
            self._process.wait()
        self._open.close()
        return True

    def _kill(self) -> None:
        """Kill the group; until the leader is reaped no other can have its number."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _read(self) -> None:
        try:
            said = os.read(self._output, _CHUNK)
        except BlockingIOError:
            return
        if not said:
            asyncio.get_running_loop().remove_reader(self._output)
        self._tail = (self._tail + said)[-TAIL:]

    @staticmethod
    def _await(stack: ExitStack, descriptor: int, act: Callable[[], object]) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(descriptor, act)
        stack.callback(loop.remove_reader, descriptor)


def environment(node: str, mark: str) -> Mapping[str, str]:
    """Return all that a program finds in its environment."""
    return {"PATH": _PATH, "LANG": "C.UTF-8", "LIBRA_NODE": node, MARK: mark}


def _start(
    command: tuple[str, ...], environ: Mapping[str, str], output: int
) -> subprocess.Popen[bytes]:
    nobody: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": ()}
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd="/",
        env=dict(environ),
        start_new_session=True,
        **(nobody if os.geteuid() == 0 else {}),
    )

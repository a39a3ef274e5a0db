"""Program: run without a shell and without privileges, the event on its standard input."""

import asyncio
import fcntl
import os
import pwd
import signal
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from libra_notifier.invocation import arguments, environment
from libra_notifier.notice import Notice
from libra_notifier.retry import Delivered, Failed, Outcome
from libra_schemas.config.notify import ProgramSink
from libra_schemas.text import one_line

_SAID_LIMIT = 64 * 1024
"""Bytes of output a program may write; what goes beyond is refused to it."""

_NOBODY = 65534


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a program runs as; None leaves what we are."""

    user: int | None = None
    group: int | None = None
    groups: tuple[int, ...] | None = None


async def deliver(sink: ProgramSink, notice: Notice) -> Outcome:
    """Run the program once; exit status 0 means taken."""
    with ExitStack() as files:
        given = _memory(files, "event", notice.raw)
        said = _memory(files, "output", b"")
        _bound(said)
        try:
            process = await _start(sink, notice, given, said)
        except (OSError, ValueError) as error:
            return Failed(one_line(f"{sink.command[0]}: {getattr(error, 'strerror', error)}"))
        status = await _finish(process)
        output = one_line(_read(said))
    if status == 0:
        return Delivered(output)
    return Failed(one_line(f"{_ended(status)} {output}"))


def unprivileged() -> Identity:
    """Name whom to run programs as: nobody where we are root."""
    if os.geteuid() != 0:
        return Identity()
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return Identity(_NOBODY, _NOBODY, ())
    return Identity(nobody.pw_uid, nobody.pw_gid, ())


async def _start(
    sink: ProgramSink, notice: Notice, given: int, said: int
) -> asyncio.subprocess.Process:
    identity = unprivileged()
    return await asyncio.create_subprocess_exec(
        *sink.command,
        *arguments(notice),
        stdin=given,
        stdout=said,
        stderr=said,
        env=dict(environment(notice)),
        cwd="/",
        start_new_session=True,
        user=identity.user,
        group=identity.group,
        extra_groups=identity.groups,
    )


async def _finish(process: asyncio.subprocess.Process) -> int:
    """Wait for the exit status; when we are cancelled (timeout) its whole group is killed."""
    try:
        return await process.wait()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise


def _memory(files: ExitStack, name: str, content: bytes) -> int:
    """Make a file in memory: unlike a pipe it can neither block nor outlive the program."""
    descriptor = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    files.callback(os.close, descriptor)
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _bound(descriptor: int) -> None:
    """Give the file all the bytes it will ever hold (fcntl(2), F_SEAL_GROW)."""
    os.ftruncate(descriptor, _SAID_LIMIT)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW)


def _read(descriptor: int) -> str:
    return os.pread(descriptor, _SAID_LIMIT, 0).partition(b"\0")[0].decode(errors="replace")


def _ended(status: int) -> str:
    if status > 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:  # a real-time signal has no name
        return f"killed by signal {-status}"

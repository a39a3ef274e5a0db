"""Noticing a process that hangs: it lives, but nothing that it is asked is answered.

Rule: missed answers are counted, never the clock: a look during which we were late ourselves
(a stalled machine) proves nothing and the count starts over. Who never answered is starting and
is left alone, and so is who answers that it is not healthy.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from libra_cli.processes import Process, descends, is_at_work, listener

LOOK = 3.0
"""Seconds of one look at a question that was asked; it stays open over several looks."""

LATE = 1.0
"""Seconds by which a look may be late before it proves nothing."""

IDLE, BUSY, ENOUGH = 4, 1, 20
"""What a missed look counts where the process waits, where it is at work; the count of a hung one.

So five looks (15 s) of one that does nothing, twenty (60 s) of one that is only slow.
"""

_HEALTHZ = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a program answers, and what it is asked; nats-server greets unasked."""

    host: str
    port: int
    question: bytes = _HEALTHZ


async def watch(name: str, where: Endpoint, pid: Callable[[], int | None], report: Report) -> None:
    """Kill whoever of the program *pid* stops answering on *where*; whoever started it goes on.

    The one that listens is killed, not the program as a whole: of vrrp that is the reporter, and
    the machine stays master.
    """
    known: Process | None = None
    while True:
        answered = await _answers(where, known)
        if answered and (known is None or not known.still_runs):
            known = await asyncio.to_thread(listener, where.port)
        elif not answered and known is not None and known.still_runs:
            _kill(name, known, pid(), report)
            known = None
        await asyncio.sleep(LOOK)


def _kill(name: str, hung: Process, program: int | None, report: Report) -> None:
    if program is None or not descends(hung.pid, program):
        return
    report(f"{name} (process {hung.pid}) lives but does not answer; killing it")
    with suppress(ProcessLookupError, PermissionError):
        os.kill(hung.pid, signal.SIGKILL)


async def _answers(where: Endpoint, known: Process | None) -> bool:
    """Ask once; False only after ENOUGH. A refusal, too, is no silence: nobody listens."""
    question = asyncio.create_task(_ask(where))
    missed = 0
    try:
        while missed < ENOUGH:
            began = time.monotonic()
            done, _ = await asyncio.wait({question}, timeout=LOOK)
            if done:
                return True
            late = time.monotonic() - began > LOOK + LATE
            missed = 0 if late else missed + (BUSY if known and is_at_work(known.pid) else IDLE)
        return False
    finally:
        question.cancel()


async def _ask(where: Endpoint) -> None:
    with suppress(OSError):
        reader, writer = await asyncio.open_connection(where.host, where.port)
        try:
            writer.write(where.question)
            await reader.read(1)
        finally:
            writer.close()

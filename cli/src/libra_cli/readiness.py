"""Waiting until processes are ready: each one's own word on its health endpoint."""

import asyncio
import time
from collections.abc import Mapping

_LOOK = 0.1
"""Seconds between two looks."""

_TIMEOUT = 2.0

SILENT = "does not answer"


async def first_trouble(ports: Mapping[str, int], patience: float, grace: float) -> dict[str, str]:
    """Wait until all of *ports* (process -> port) are healthy; give what is not, and why.

    A process may take *patience* (s) until it answers at all; one that answers and names its
    trouble has *grace* (s) to get over it.
    """
    began = time.monotonic()
    troubles: dict[str, str] = dict.fromkeys(ports, SILENT)
    answered: dict[str, float] = {}
    while True:
        for name in list(troubles):
            trouble = await health(ports[name])
            if trouble != SILENT:
                answered.setdefault(name, time.monotonic())
            if trouble is None:
                del troubles[name]
            else:
                troubles[name] = trouble
        now = time.monotonic()
        due = {
            each: answered[each] + grace if each in answered else began + patience
            for each in troubles
        }
        if all(now >= moment for moment in due.values()):
            return troubles
        await asyncio.sleep(_LOOK)


async def health(port: int) -> str | None:
    """Ask /healthz on loopback: None = healthy, else what is wrong."""
    try:
        async with asyncio.timeout(_TIMEOUT):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                answer = await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return SILENT
    head, _, body = answer.partition(b"\r\n\r\n")
    if head.split(b" ", 2)[1:2] == [b"200"]:
        return None
    return body.decode(errors="replace").strip() or "is not healthy"

"""What the other services of this node say of themselves on their health endpoints."""

import asyncio
from contextlib import suppress

from libra_console.waiting import SILENT
from libra_runtime.healthcheck import SPEAKER, find
from libra_runtime.settings import METRICS_PORTS

PATIENCE = 1.0
"""Seconds for all of them; who is slower does not answer."""

_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def troubles(node: str, own_port: int) -> dict[str, str | None]:
    """Ask the other services of *node*, from the port of our own on; {} where none are used (0).

    None = healthy, else one sentence.
    """
    if own_port == 0:
        return {}
    first = own_port - METRICS_PORTS["console"]
    others = [each for each in METRICS_PORTS if each != "console"]
    asked = (_trouble(first + METRICS_PORTS[each], f"{each} of {node}") for each in others)
    said = await asyncio.gather(*asked)
    return dict(zip(others, said, strict=True))


async def _trouble(port: int, who: str) -> str | None:
    answer = b""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            answer = await _exchange(port)
    head, _, body = answer.partition(b"\r\n\r\n")
    if answer and f"{SPEAKER}: {who}".encode() not in head.split(b"\r\n"):
        return f"127.0.0.1:{port} is taken by another process: stop it ({find(port)})"
    if head.split(b" ", 2)[1:2] == [b"200"]:
        return None
    return body.decode(errors="replace").strip() or SILENT


async def _exchange(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(_REQUEST)
        return await reader.read(65536)
    finally:
        writer.close()

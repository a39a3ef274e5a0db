"""Waiting until processes are ready: each one's own word on its health endpoint."""

import asyncio
from collections.abc import Mapping

_LOOK = 0.1
"""Seconds between two looks."""

_TIMEOUT = 2.0


async def first_trouble(ports: Mapping[str, int], patience: float) -> dict[str, str]:
    """Wait until all of *ports* (process -> port) are healthy, at most *patience* (s).

    Give what is not healthy by then, and why.
    """
    troubles: dict[str, str] = dict.fromkeys(ports, "has not been asked yet")
    try:
        async with asyncio.timeout(patience):
            while troubles:
                for name in list(troubles):
                    trouble = await health(ports[name])
                    if trouble is None:
                        del troubles[name]
                    else:
                        troubles[name] = trouble
                if troubles:
                    await asyncio.sleep(_LOOK)
    except TimeoutError:
        pass
    return troubles


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
        return "does not answer"
    head, _, body = answer.partition(b"\r\n\r\n")
    if head.split(b" ", 2)[1:2] == [b"200"]:
        return None
    return body.decode(errors="replace").strip() or "is not healthy"

"""`/metrics` and `/healthz` of a process, on loopback, without a web framework."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from libra_runtime import logs
from libra_runtime.healthcheck import NAMESPACE, SPEAKER, find, namespace

_TIMEOUT = 5.0
"""Seconds a client may take for its request."""

_RETRY = 1.0
"""Seconds after which a port that is taken is tried again."""

Health = Callable[[], str | None]
Figures = Callable[[], Mapping[str, float]]
_Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


_SOURCES: dict[str, Figures] = {}


async def serve(port: int, health: Health, who: str = "") -> None:
    """Answer on 127.0.0.1:*port* until cancelled; return at once where *port* is 0.

    *health* says None when the process is healthy, else in one sentence what is wrong
    (`/healthz` answers 503 with it). *who* says it, `vrrp of a`; where nothing is given, whom the
    logs name. Where another process listens there, the work goes on without
    metrics until it ends: the log says so, and `healthcheck` tells who answers from who should.
    """
    if port == 0:
        return
    server = await _listen(port, lambda reader, writer: _answer(reader, writer, health, who))
    async with server:
        await server.serve_forever()


async def _listen(port: int, answer: _Answer) -> asyncio.Server:
    said = ""
    while True:
        try:
            server = await asyncio.start_server(answer, "127.0.0.1", port)
        except OSError as error:
            what = os.strerror(error.errno or 0)
            why = f"127.0.0.1:{port}: {what}: stop what has it ({find(port)})"
            if why != said:
                logs.note("neither metrics nor health are told", why=why)
            said = why
        else:
            if said:
                logs.note("metrics and health are told again", port=port)
            return server
        await asyncio.sleep(_RETRY)


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, health: Health, who: str
) -> None:
    try:
        async with asyncio.timeout(_TIMEOUT):
            request = await reader.readuntil(b"\r\n\r\n")
            writer.write(respond(request, health, who))
            await writer.drain()
    except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass  # a client that went away or sent no request needs no answer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def respond(request: bytes, health: Health, who: str = "") -> bytes:
    """Render the whole HTTP/1.1 response to *request* (RFC 9112); the connection closes."""
    method, _, rest = request.partition(b" ")
    path = rest.split(b" ", 1)[0].split(b"?", 1)[0]
    if method not in {b"GET", b"HEAD"}:
        status, kind, body = "405 Method Not Allowed", "text/plain", b"GET or HEAD\n"
    elif path == b"/metrics":
        status, kind, body = _metrics()
    elif path == b"/healthz":
        status, kind, body = _health(health())
    else:
        status, kind, body = "404 Not Found", "text/plain", b"/metrics or /healthz\n"
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        f"{NAMESPACE}: {namespace()}\r\n{SPEAKER}: {who or logs.speaker()}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + (b"" if method == b"HEAD" else body)


def _health(trouble: str | None) -> tuple[str, str, bytes]:
    if trouble is None:
        return "200 OK", "text/plain; charset=utf-8", b"healthy\n"
    return "503 Service Unavailable", "text/plain; charset=utf-8", f"{trouble}\n".encode()


def expose(prefix: str, source: Figures) -> None:
    """Add figures to `/metrics` as gauges `<prefix>_<name>`, read when somebody asks."""
    _SOURCES[prefix] = source


def withdraw(prefix: str) -> None:
    """Take figures out of `/metrics`."""
    _SOURCES.pop(prefix, None)


def _metrics() -> tuple[str, str, bytes]:
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest  # noqa: PLC0415 - slow import

    return "200 OK", CONTENT_TYPE_LATEST, generate_latest() + _exposed()


def _exposed() -> bytes:
    lines = [
        f"# TYPE {prefix}_{name} gauge\n{prefix}_{name} {float(value)}\n"
        for prefix, source in _SOURCES.items()
        for name, value in source().items()
    ]
    return "".join(lines).encode()

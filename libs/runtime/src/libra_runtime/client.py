"""The nats-py client of one connection: imported lean, opened as a service, closed whole.

nats-py's own reconnecting is off: it would send again what it had buffered, behind our back.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from libra_runtime.journal import JournalUnavailable
from libra_runtime.keys import public_nkey
from libra_runtime.settings import Edge

if TYPE_CHECKING:
    from nats.aio.client import Client

_LAST_FLUSH = 1.0
"""Seconds that what waits to be sent may take when a connection is closed."""


@cache
def nats_module() -> Any:
    """Import nats-py without aiohttp, which it wants for websockets only (0.14 s of 0.23 s)."""
    shunned = "aiohttp" not in sys.modules
    if shunned:
        sys.modules["aiohttp"] = None  # type: ignore[assignment] # makes the import fail
    try:
        import nats.aio.client  # noqa: PLC0415 - see above
    finally:
        if shunned:
            del sys.modules["aiohttp"]
    return nats


async def connect(
    client: "Client", edge: Edge, prefix: str, end: Callable[[], None], say: Callable[[str], None]
) -> None:
    """Connect as the edge's user; call *end* when it is over, *say* with every complaint.

    Raise JournalUnavailable where the seed cannot be used, else what nats-py raises: what kept it
    from a server it only complains of.
    """
    last: list[Exception] = []

    async def closed() -> None:
        end()

    async def failed(error: Exception) -> None:
        last[:] = [error] if isinstance(error, OSError) else last
        say(str(error) or type(error).__name__)

    client._parse_header_lines = header_lines  # type: ignore[method-assign]  # noqa: SLF001 - speed
    try:
        await client.connect(
            edge.nats,
            name=f"{edge.service} of {edge.node}",
            allow_reconnect=False,
            max_reconnect_attempts=1,  # nats-py waits and tries again even before it gives up
            reconnect_time_wait=0.05,  # type: ignore[arg-type] # passed to sleep, annotated as int
            connect_timeout=2,
            ping_interval=5,
            max_outstanding_pings=2,
            closed_cb=closed,
            error_cb=failed,
            nkeys_seed_str=_seed(edge),
            inbox_prefix=prefix,
        )
    except nats_module().errors.NoServersError as none:
        raise (last[0] if last else none) from None
    _watch(client, end)


def header_lines(raw: bytes) -> dict[str, str]:
    """Read the lines of a header block as nats-py does, each name only once: three times as fast.

    A recovery reads five headers per register, one of them of 1.3 KiB.
    """
    headers: dict[str, str] = {}
    for line in raw.split(b"\r\n"):
        written, colon, value = line.partition(b":")
        name = _name(written) if colon else ""
        if name:
            headers[name] = value.strip().decode("utf-8", "replace")
    return headers


@lru_cache(maxsize=256)
def _name(written: bytes) -> str:
    """Read a header's name, "" where it is none."""
    name = written.strip()
    if not name.isascii() or any(character.isspace() for character in name.decode()):
        return ""
    return name.decode()


def _watch(client: "Client", end: Callable[[], None]) -> None:
    """Call *end* when nothing is read any more: nats-py does not say so where its close fails."""

    def over(task: "asyncio.Task[None]") -> None:
        if not task.cancelled():
            task.exception()  # it is known here what it means
        end()

    reading = client._reading_task  # noqa: SLF001 - nats-py has no other sign of it
    if reading is not None:
        reading.add_done_callback(over)


async def shut(client: "Client") -> None:
    """Close the connection whatever the server does.

    nats-py leaves the socket open where the last flush fails, and waits for ever for a server
    that hangs.
    """
    transport = client._transport  # noqa: SLF001 - see above
    if not transport:
        return
    with suppress(nats_module().errors.Error, OSError, TimeoutError):
        async with asyncio.timeout(_LAST_FLUSH):
            await client.close()
    writer = getattr(transport, "_io_writer", None)
    if writer is not None:
        writer.transport.abort()


def _seed(edge: Edge) -> str | None:
    if edge.seed_file is None:
        return None
    try:
        seed = edge.seed_file.read_bytes().strip()
        public_nkey(seed)
        return seed.decode()
    except PermissionError:
        owner = f"give it to the user {edge.service} runs as (uid {os.getuid()})"
        raise JournalUnavailable(f"{edge.seed_file}: Permission denied; {owner}") from None
    except OSError as error:
        raise JournalUnavailable(f"{edge.seed_file}: {error.strerror}; run `libra init`") from None
    except ValueError as error:
        raise JournalUnavailable(f"{edge.seed_file}: {error}; run `libra init`") from None

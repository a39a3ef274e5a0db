"""A log that a full disk closed: nats-server is started again once there is room.

After a write that found no room nats-server takes no event any more, whatever room there is later:
its JetStream is off, or a stream keeps its error (seen on 2.15.1; 2.12 knows the first alone).
Rule: only its own word for it counts, and only beside room; a server that starts, recovers, is
slow or hangs is left alone. `nats-health.sh` is the same for containers.
"""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path

from libra_cli.site import Site
from libra_runtime.client import connect, nats_module, shut
from libra_runtime.settings import Edge
from libra_schemas.errors import LibraError
from libra_schemas.nats import ADMIN, HEALTHZ, MAX_PAYLOAD, inbox_prefix

LOOK = 5.0
"""Seconds between two looks."""

ROOM = 2 * MAX_PAYLOAD
"""Bytes that must be free for the log to be opened again: two of the largest events."""

_TIMEOUT = 5.0
"""Seconds that the server may take to say how it is."""

SIGNS = ("JetStream not enabled", "no space left on device")
"""What nats-server says of a log that a full disk closed."""

Report = Callable[[str], None]


async def watch_room(site: Site, restart: Callable[[], None], report: Report) -> None:
    """Call *restart* whenever nats-server's log is closed and its disk has room; tell both."""
    told = False
    while True:
        await asyncio.sleep(LOOK)
        if not await _asked(site):
            told = False
        elif has_room(site.store):
            report(f"the log was closed by a full disk, {site.store} has room again")
            restart()
        elif not told:
            report(f"no room on the disk of {site.store}: the log is closed until there is")
            told = True


def is_closed(answer: bytes) -> bool:
    """Tell whether the server's answer on HEALTHZ says that a full disk closed the log."""
    error = str(json.loads(answer).get("data", {}).get("error", ""))
    return any(sign in error for sign in SIGNS)


def has_room(directory: Path) -> bool:
    """Tell whether the disk of *directory* has ROOM for others than root, and a file to spare."""
    try:
        disk = os.statvfs(directory)
    except OSError:
        return False
    has_files = disk.f_favail > 0 or disk.f_files == 0
    return disk.f_bavail * disk.f_frsize >= ROOM and has_files


async def _asked(site: Site) -> bool:
    """Ask the server whether its log is closed; one that does not answer says nothing of it."""
    nats = nats_module()
    client = nats.aio.client.Client()
    edge = Edge(site.node, ADMIN, site.nats, site.state, site.run, site.seed(ADMIN))
    try:
        await connect(client, edge, inbox_prefix(ADMIN), lambda: None, lambda _: None)
        answer = await client.request(HEALTHZ, timeout=_TIMEOUT)
        return is_closed(answer.data)
    except (nats.errors.Error, OSError, TimeoutError, ValueError, LibraError):
        return False
    finally:
        await shut(client)

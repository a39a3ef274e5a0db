"""Composition root of the health service."""

from __future__ import annotations

import resource
import sys
from typing import Final

from libra_health.settings import Settings
from libra_health.shell.health import Health
from libra_runtime import logs
from libra_runtime.nats_journal import open_journal

SWITCH: Final = 0.0005
"""Seconds after which a busy event loop yields to the driver's thread.

With Python's 5 ms each system call of a check may cost that much while a config is read: at 1,000
checks a second a start came 1.5 s late, with this value 17 ms.
"""


def raise_descriptor_limit() -> None:
    """Allow as many sockets as the hard limit does."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def serve(settings: Settings) -> None:
    """Be the health service of this node until cancelled."""
    edge = settings.edge
    logs.configure("health", edge.node, edge.log_level)
    sys.setswitchinterval(SWITCH)
    raise_descriptor_limit()
    journal = await open_journal(edge)
    try:
        await Health(settings, journal).run()
    finally:
        await journal.close()

"""Where the reporter has its config from, and where its events go: the log, or a file and no log.

One rule: a config is judged alike wherever it lies; one that cannot be held changes nothing.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final, Protocol, TypeAlias

import structlog

from libra_runtime.journal import CaughtUp, Stored
from libra_schemas.config import Config
from libra_schemas.envelope import Draft
from libra_vrrp.orders import Instance

log = structlog.get_logger()

RETRY: Final = 2.0
"""Seconds after which a config whose secrets were not to be had is tried again."""

Taken: TypeAlias = tuple[Config, tuple[Instance, ...]]
"""A config that this node can hold, and what it makes of it."""


class Source(Protocol):
    """Where configs come from."""

    @property
    def followed(self) -> tuple[str, ...]:
        """Types of the events that count beside it."""

    @property
    def revision(self) -> str | None:
        """The config in force, None where it has no revision."""

    @property
    def trouble(self) -> str | None:
        """Say what keeps the newest config from being in force."""

    def ask(self) -> None:
        """Have the config looked at again."""

    def note(self, stored: Stored) -> None:
        """Take in what the log says is the newest config."""

    async def take(self) -> Taken | None:
        """Return the newest config that can be held, None where nothing changes."""

    async def tend(self, again: Callable[[], Awaitable[None]]) -> None:
        """Have the config taken `again` whenever that may change something, until cancelled."""


class Record(Protocol):
    """Where events go to, and come from."""

    @property
    def trouble(self) -> str | None:
        """Say why they do not."""

    def publish(self, draft: Draft) -> None:
        """Have an event recorded."""

    def follow(self, *types: str) -> AsyncGenerator[Stored | CaughtUp, None]:
        """Yield what others say of these types; it ends where nobody else says anything."""

    async def close(self) -> None:
        """End, with everything in safe hands."""


class Waiting:
    """A config that waits for a secret: said once, and tried again."""

    def __init__(self) -> None:
        self.why: str | None = None

    def note(self, why: str | None) -> None:
        """Wait from now on, or no more."""
        if why is not None and why != self.why:
            log.error("a config waits for its secret", why=why)
        self.why = why

    async def until(self, asked: asyncio.Event) -> None:
        """Wait until somebody asks, or it is time to try again."""
        try:
            async with asyncio.timeout(None if self.why is None else RETRY):
                await asked.wait()
        except TimeoutError:
            return

"""The newest config of the log that this node can hold."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from libra_runtime.journal import Journal, Stored
from libra_schemas.errors import LibraError
from libra_schemas.events import ConfigApplied
from libra_schemas.load import config_of
from libra_vrrp.shell.secret import UnusableSecret, read_secrets
from libra_vrrp.shell.source import Taken, Waiting
from libra_vrrp.wanted import instances

log = structlog.get_logger()

FOLLOWED: Final = ("config.applied", "service", "operator", "conn.fresh")


class Intake:
    """What the log says, less what cannot be held: that changes nothing.

    `revision` is of the config in force, None before the first. A config that makes no sense is
    refused for good; one with a secret that cannot be used waits, and `trouble` says for what.
    """

    def __init__(self, node: str, journal: Journal, asked: asyncio.Event) -> None:
        self._node = node
        self._journal = journal
        self._asked = asked
        self._newest: Stored | None = None
        self._waiting = Waiting()
        self.revision: str | None = None
        self.followed = FOLLOWED

    @property
    def trouble(self) -> str | None:
        """Say what the newest config waits for."""
        return self._waiting.why

    def ask(self) -> None:
        """Have the config looked at again."""
        self._asked.set()

    def note(self, stored: Stored) -> None:
        """Remember the newest config."""
        self._newest = stored

    async def take(self) -> Taken | None:
        """Return the newest config that can be held, and what it makes of this node."""
        stored = self._newest
        while stored is not None and isinstance(stored.event.data, ConfigApplied):
            try:
                config, revision = config_of(stored.event.data)
                found = instances(config, self._node, read_secrets(config, self._node))
            except UnusableSecret as missing:
                self._waiting.note(str(missing))
                return None
            except LibraError as wrong:
                log.warning("config not accepted", reason=str(wrong))
                await self._journal.reject(stored, str(wrong))
                stored = await self._journal.before(stored) if self.revision is None else None
                continue
            self.revision = str(revision)
            self._waiting.note(None)
            return config, found
        return None

    async def tend(self, again: Callable[[], Awaitable[None]]) -> None:
        """Have a config that waits taken again and again, and any where somebody asks for it."""
        while True:
            await self._waiting.until(self._asked)
            if self._asked.is_set() or self.trouble is not None:
                self._asked.clear()
                await again()

"""Events without a log of their own: told in the log output, and to NATS where one is named."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from importlib import import_module

import structlog

from libra_runtime.journal import CaughtUp, LogRenewed, Stored
from libra_runtime.nats_journal import NatsJournal, open_outbox
from libra_runtime.settings import Edge
from libra_schemas.envelope import Draft
from libra_schemas.errors import LibraError
from libra_vrrp.shell import say

log = structlog.get_logger()


class Alone:
    """Whatever NATS says or does not say is a notice; `journal` None is none at all."""

    def __init__(self, journal: NatsJournal | None) -> None:
        self._journal = journal
        self.trouble: str | None = None

    def publish(self, draft: Draft) -> None:
        """Pass it on, unless NATS has refused us for good."""
        if self._journal is not None and self._journal.wire.failure is None:
            self._journal.publish(draft)

    async def follow(self, *types: str) -> AsyncGenerator[Stored | CaughtUp, None]:
        """Yield what others say, until NATS refuses us for good."""
        if self._journal is None:
            return
        try:
            async for item in self._journal.follow(*types):
                yield item
        except LogRenewed:
            raise
        except LibraError as refusal:
            log.warning("events stay in this log output from now on", why=str(refusal))

    async def close(self) -> None:
        """End what there is."""
        if self._journal is not None:
            await self._journal.close()


def prepared(edge: Edge) -> Edge:
    """Import what will be needed, and return the edge without a seed that is not to be had."""
    import_module("libra_vrrp.shell.file_intake")
    try:
        if edge.seed_file is not None:
            edge.seed_file.read_bytes()
    except OSError as wrong:
        say.log("no seed for NATS", "warning", why=f"{wrong.filename}: {wrong.strerror}")
        return replace(edge, seed_file=None)
    return edge


def opened(edge: Edge, *, named: bool) -> Alone:
    """Work alone; beside NATS where it is `named`, whether it answers or not."""
    if not named:
        return Alone(None)
    try:
        return Alone(NatsJournal(edge, open_outbox(edge)))
    except (LibraError, OSError, ValueError) as wrong:
        log.warning("events stay in this log output", why=str(wrong))
        return Alone(None)

"""Which sinks there are now: one courier each, begun and ended as the config says."""

import asyncio
import json
from contextlib import aclosing
from pathlib import Path

import structlog

from libra_notifier.history import Accepted, MalformedSinks, accepted, sinks_of
from libra_notifier.routes import CONFIG
from libra_notifier.settings import Settings
from libra_notifier.shell.courier import Courier
from libra_notifier.shell.past import recover
from libra_runtime.journal import CaughtUp, Journal, Stored
from libra_runtime.kept import keep, kept
from libra_schemas.canonical import canonical
from libra_schemas.events import ConfigApplied

_log = structlog.get_logger()


class Desk:
    """Follows the config; starts, reconfigures and ends couriers (tasks of *group*)."""

    def __init__(
        self,
        journal: Journal,
        keeping: Path,
        group: asyncio.TaskGroup,
        settings: Settings | None = None,
    ) -> None:
        self._journal = journal
        self._keeping = keeping
        self._group = group
        self._settings = settings or Settings()
        self._couriers: dict[str, tuple[Courier, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Recover, then follow the config until cancelled."""
        past = await recover(self._journal, self._kept())
        for sink, config in (past.history[-1].sinks if past.history else {}).items():
            courier = Courier(sink, config, self._journal, self._settings)
            courier.begin(past.beginning(sink), past.history, past.done(sink))
            self._start(courier)
        _log.info("ready", sinks=sorted(self._couriers), newest=past.newest)
        async with aclosing(self._journal.follow(CONFIG, sequence=past.newest + 1)) as stream:
            async for item in stream:
                if not isinstance(item, CaughtUp):
                    await self._apply(item)

    async def _apply(self, stored: Stored) -> None:
        try:
            config = accepted(stored.event, stored.sequence)
        except MalformedSinks as error:
            _log.error("config not accepted, the one before it holds", why=str(error))
            await self._journal.reject(stored, str(error))
            return
        self._keep(stored)
        for sink in self._couriers.keys() - config.sinks.keys():
            _, task = self._couriers.pop(sink)
            task.cancel()
        for sink, how in config.sinks.items():
            if sink in self._couriers:
                self._couriers[sink][0].reconfigure(how)
            else:
                courier = Courier(sink, how, self._journal, self._settings)
                courier.begin(stored.sequence, (config,))
                self._start(courier)
        _log.info("config accepted", sinks=sorted(config.sinks), sequence=stored.sequence)

    def _start(self, courier: Courier) -> None:
        self._couriers[courier.sink] = (courier, self._group.create_task(courier.run()))

    def _keep(self, stored: Stored) -> None:
        if isinstance(stored.event.data, ConfigApplied):
            try:
                keep(self._keeping, canonical(stored.event.data.document))
            except OSError as error:
                _log.error("the accepted config cannot be kept", why=str(error))

    def _kept(self) -> Accepted | None:
        """Read the config kept by an earlier process; it stands before everything in the log."""
        try:
            found = kept(self._keeping)
            return Accepted(0, sinks_of(json.loads(found))) if found else None
        except (OSError, ValueError, MalformedSinks) as error:
            _log.error("the kept config cannot be read", why=str(error))
            return None

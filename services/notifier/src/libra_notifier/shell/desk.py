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
from libra_notifier.shell.secret import unreadable
from libra_runtime.journal import CaughtUp, Journal, Stored
from libra_runtime.keeping import Keeping
from libra_runtime.kept import kept
from libra_schemas.canonical import canonical

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
        self._file = keeping
        self._keeping = Keeping(keeping, _unkept)
        self._group = group
        self._settings = settings or Settings()
        self._couriers: dict[str, tuple[Courier, asyncio.Task[None]]] = {}
        self._has_recovered = False

    @property
    def trouble(self) -> str | None:
        """Say in one sentence why somebody is told nothing, None when all is well."""
        if self._journal.trouble is not None:
            return self._journal.trouble
        if not self._has_recovered:
            return "the notifier reads its past from the log"
        return self._keeping.trouble or self._mute()

    def _mute(self) -> str | None:
        """Name a sink that cannot be told anything: a file of its is not to be read."""
        for name, (courier, _) in self._couriers.items():
            why = unreadable(courier.config)
            if why is not None:
                return f"sink {name}: {why}"
        return None

    async def run(self) -> None:
        """Recover, then follow the config until cancelled."""
        self._group.create_task(self._keeping.run())
        past = await recover(self._journal, self._kept())
        if past.history:
            self._keep(past.history[-1])
        for sink, config in (past.history[-1].sinks if past.history else {}).items():
            courier = Courier(sink, config, self._journal, self._settings)
            courier.begin(past.beginning(sink), past.history, past.done(sink))
            self._start(courier)
        self._has_recovered = True
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
        self._keep(config)
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

    def _keep(self, config: Accepted) -> None:
        sinks = {
            sink: how.model_dump(mode="json", by_alias=True, exclude_unset=True)
            for sink, how in config.sinks.items()
        }
        self._keeping.put(canonical({"notify": sinks}))

    def _kept(self) -> Accepted | None:
        """Read the config kept by an earlier process; it stands before everything in the log."""
        try:
            found = kept(self._file)
            return Accepted(0, sinks_of(json.loads(found))) if found else None
        except (OSError, ValueError, MalformedSinks) as error:
            _log.error("the kept config cannot be read", why=str(error))
            return None


def _unkept(why: str) -> None:
    _log.error("the accepted config cannot be kept", why=why)

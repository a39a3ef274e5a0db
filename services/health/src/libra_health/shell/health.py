"""The log on one side, the driver on the other: config and verdicts in, verdicts out.

The one rule: the driver never waits for the log, and the log never waits for the driver.
"""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from libra_health.fitness import trouble
from libra_health.hold.wanted import Wanted, wanted_of
from libra_health.outcome import Outcome
from libra_health.probes import Probe
from libra_health.settings import Settings
from libra_health.shell.board import Board, Told
from libra_health.shell.drive import Driver
from libra_health.shell.holds import Holds
from libra_health.shell.line import WITHHELD
from libra_health.shell.peers import Peers
from libra_health.shell.program import swept
from libra_health.verdict import Key, Known, Watch, known_of, state_of
from libra_health.watches import watches_of
from libra_runtime import metrics
from libra_runtime.journal import CaughtUp, Journal, Stored
from libra_runtime.keeping import Keeping
from libra_runtime.kept import kept
from libra_runtime.stamp import new_id
from libra_schemas.envelope import Draft, Event
from libra_schemas.errors import LibraError
from libra_schemas.events import BackendState, ConfigApplied
from libra_schemas.load import config_of
from libra_schemas.revision import Revision

log = structlog.get_logger()

TURN: Final = 200
"""Verdicts published before the event loop is given back: a mass failure must not stall it."""


class DriverDied(Exception):
    """The driver's thread ended; without it nothing is checked."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A config that was checked and taken apart: half a second of work for 10,000 backends."""

    applied: ConfigApplied
    revision: Revision
    watches: tuple[Watch, ...]
    holds: tuple[Wanted, ...]


def _prepare(applied: object, node: str) -> Prepared:
    """Check a config and take it apart; raise LibraError or ValueError where it cannot be held."""
    if not isinstance(applied, ConfigApplied):
        raise ValueError("the data is of a schema that this release does not know")
    config, revision = config_of(applied)
    watches = watches_of(config, node)
    return Prepared(applied, revision, watches, wanted_of(config, node, watches))


class Health:
    """Follows config and own verdicts, keeps the driver supplied, publishes what it finds."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self.board = Board(self._hand_over)
        self.driver = Driver(self._report, self._mourn)
        self.driver.aside.mark = swept(settings.edge.state)
        self._peers = Peers(journal, self.board, self.driver.call)
        self.holds = Holds(self.driver, self.board.condemn)
        self._settings = settings
        self._node = settings.edge.node
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._died: asyncio.Future[None] = self._loop.create_future()
        self._told: deque[Told] = deque()
        self._bell = asyncio.Event()
        self._logged: dict[Key, Known] = {}
        self._newest: Stored | None = None
        self._has_news = asyncio.Event()
        self._revision: Revision | None = None
        self._has_caught_up = asyncio.Event()
        self._keeping = Keeping(settings.kept_config, _unkept)

    async def run(self) -> None:
        """Run until cancelled, fenced, or the driver dies."""
        self.driver.start()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow())
                group.create_task(self._take_configs())
                group.create_task(self._publish())
                group.create_task(self._begin_without_log())
                group.create_task(self._watch_driver())
                group.create_task(self._keeping.run())
                group.create_task(self._peers.run())
                port = self._settings.edge.metrics_port
                if port:
                    _export(self)
                group.create_task(metrics.serve(port, self._trouble))
        finally:
            self.driver.call(self.holds.stop)
            self.driver.stop()
            self._drain()

    async def _follow(self) -> None:
        async for item in self._journal.follow("config.applied", "backend"):
            match item:
                case CaughtUp():
                    self.driver.call(partial(self.board.hear, dict(self._logged)))
                    await self._catch_up()
                    self._has_caught_up.set()
                case Stored(event=Event(data=BackendState() as state)):
                    if not self._has_caught_up.is_set():  # later ones are our own
                        self._logged[state.service, state.backend] = known_of(state)
                case Stored(event=Event(data=ConfigApplied())):
                    self._newest = item
                    self._has_news.set()
                case Stored():
                    log.debug("event of an unknown kind", subject=str(item.subject))

    async def _catch_up(self) -> None:
        if self._newest is not None:
            await self._take_newest()
        if self._revision is None:
            self._apply_kept()

    async def _take_configs(self) -> None:
        """Take up what is applied while we run; of several that came at once only the newest."""
        await self._has_caught_up.wait()
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            await self._take_newest()

    async def _take_newest(self) -> None:
        """Apply the newest config; one that cannot be held leaves what runs untouched.

        It is prepared beside the event loop; where a newer one came meanwhile, that one counts.
        """
        stored = newest = self._newest
        while stored is not None:
            try:
                prepared = await asyncio.to_thread(_prepare, stored.event.data, self._node)
                if self._newest is newest:
                    self._apply(prepared)
                    self._keeping.put(prepared.applied.model_dump_json().encode())
            except (LibraError, ValueError) as error:
                log.warning("config not accepted", revision=stored.event.id, reason=str(error))
                await self._journal.reject(stored, str(error))
                stored = await self._journal.before(stored) if self._revision is None else None
            else:
                return

    async def _begin_without_log(self) -> None:
        """Go by the kept config where the log does not answer in time."""
        try:
            async with asyncio.timeout(self._settings.patience):
                await self._has_caught_up.wait()
        except TimeoutError:
            self._apply_kept()

    def _apply_kept(self) -> None:
        try:
            content = kept(self._settings.kept_config)
            if content is not None and self._revision is None:
                applied = ConfigApplied.model_validate_json(content)
                self._apply(_prepare(applied, self._node))
        except (LibraError, ValueError, OSError) as error:
            log.warning("kept config not accepted", reason=str(error))

    def _apply(self, prepared: Prepared) -> None:
        revision, watches = prepared.revision, prepared.watches
        if revision == self._revision:
            return
        self._revision = revision
        self._peers.want(watches)
        self.driver.call(lambda: self.board.apply(self.driver, watches, str(revision)))
        self.driver.call(partial(self.holds.apply, prepared.holds))
        gc.freeze()  # a config lives long; without this each collection would walk all of it
        log.info("config taken up", revision=str(revision), backends=len(watches))

    async def _publish(self) -> None:
        while True:
            await self._bell.wait()
            self._bell.clear()
            while self._told:
                self._drain(TURN)
                await asyncio.sleep(0)

    def _drain(self, most: int | None = None) -> None:
        """Publish what was told, at most `most` verdicts."""
        for _ in range(len(self._told) if most is None else min(most, len(self._told))):
            told = self._told.popleft()
            state, kind = state_of(told.verdict, told.decided), told.verdict.type
            key = told.verdict.watch.key
            self._journal.publish(
                Draft(kind, key, state, new_id(), told.decided, configrev=told.revision)
            )
            log.info(
                "verdict",
                type=kind,
                backend="/".join(key),
                weight=state.weight,
                evidence=[f"{e.probe}: {e.reason} {e.detail}".strip() for e in state.evidence],
            )

    def _hand_over(self, told: tuple[Told, ...]) -> None:
        """Carry verdicts out of the driver's thread."""
        self._told.extend(told)
        self._loop.call_soon_threadsafe(self._bell.set)

    def _report(self, probe: Probe, outcome: Outcome, now: float) -> None:
        self.board.report(probe, outcome, now)
        self.holds.report(probe, outcome, now)

    def _mourn(self, error: BaseException) -> None:
        """Carry the driver's end, whatever it was, out of its thread."""
        died = DriverDied("the epoll driver died")
        died.__cause__ = error
        self._loop.call_soon_threadsafe(self._died.set_exception, died)

    def _trouble(self) -> str | None:
        withheld = self.holds.states()[WITHHELD]
        own = trouble(self.board.unable.copy(), self.driver.late(), withheld)
        return own or self._keeping.trouble or self._journal.trouble

    async def _watch_driver(self) -> None:
        await self._died


def _unkept(why: str) -> None:
    log.warning("the accepted config cannot be kept", why=why)


def _export(health: Health) -> None:
    from libra_health.shell.metrics import export  # noqa: PLC0415  slow import, only if scraped

    export(health.driver, health.board, health.holds)

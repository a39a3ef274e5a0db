"""The courier of one sink: reads the log at its own pace, tells, tries again, writes receipts.

Every sink has its own, with its own reading of the log: one sink's trouble delays no other.
"""

import asyncio
import random
from contextlib import aclosing

import structlog

from libra_notifier.history import History, MalformedSinks, accepted, route
from libra_notifier.notice import Notice
from libra_notifier.progress import (
    Job,
    Progress,
    admitted,
    deadline,
    finished,
    hastened,
    passed,
    postponed,
    reader,
    ready,
    started,
)
from libra_notifier.retry import Delivered, Failed, delay, is_exhausted
from libra_notifier.routes import CONFIG, followed, told
from libra_notifier.settings import Settings
from libra_notifier.shell.delivery import deliver
from libra_notifier.shell.meters import ATTEMPTS, OPEN
from libra_notifier.shell.names import Names
from libra_runtime import stamp
from libra_runtime.journal import CaughtUp, Journal, Stored
from libra_schemas.config.notify import SinkConfig
from libra_schemas.events import Causes, Receipt

_log = structlog.get_logger()


class Courier:
    """Tells *sink* its events.

    *config* is how to tell, always the newest there is; the route is that of the config in force
    where an event stands in the log.
    """

    def __init__(self, sink: str, config: SinkConfig, journal: Journal, settings: Settings) -> None:
        self.sink = sink
        self.config = config
        self._journal = journal
        self._settings = settings
        self._route: SinkConfig | None = config
        self._done: frozenset[str] = frozenset()
        self._progress = Progress(0)
        self._open: dict[int, Stored] = {}
        self._stir = asyncio.Event()
        self._names = Names()
        self._room = asyncio.Event()

    def begin(self, sequence: int, history: History, done: frozenset[str] = frozenset()) -> None:
        """Set where in the log to begin, which routes held there, and which events are done."""
        self._progress = Progress(sequence)
        self._route = route(history, self.sink, sequence + 1)
        self._done = done

    def reconfigure(self, config: SinkConfig) -> None:
        """Tell by *config* from now on, what waits at once."""
        if config == self.config:
            return
        self.config = config
        self._progress = hastened(self._progress, asyncio.get_running_loop().time())
        self._stir.set()

    async def run(self) -> None:
        """Read and tell until cancelled."""
        OPEN.labels(self.sink).set(0)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read())
                await self._tell(group)
        finally:
            OPEN.remove(self.sink)

    async def _read(self) -> None:
        while True:
            await self._read_route(followed(self._route))

    async def _read_route(self, types: tuple[str, ...]) -> None:
        """Read *types* after what was seen, until the route asks for others."""
        first = self._progress.seen + 1
        async with aclosing(self._journal.follow(*types, sequence=first)) as stream:
            async for item in stream:
                if isinstance(item, CaughtUp):
                    continue  # LOG's newest by then may not have been yielded yet
                await self._consider(item)
                if followed(self._route) != types:
                    return

    async def _consider(self, stored: Stored) -> None:
        while len(self._open) >= self._settings.window:
            self._room.clear()
            await self._room.wait()
        is_told = self._route is not None and told(self._route, stored.subject)
        if is_told and stored.event.id not in self._done and stored.sequence > self._progress.seen:
            self._open[stored.sequence] = stored
            self._progress = admitted(self._progress, stored.sequence, stored.event.subject)
            OPEN.labels(self.sink).set(len(self._open))
            self._stir.set()
        else:
            self._progress = passed(self._progress, stored.sequence)
        if stored.subject.type == CONFIG:
            self._learn_route(stored)

    def _learn_route(self, stored: Stored) -> None:
        try:
            self._route = accepted(stored.event, stored.sequence).sinks.get(self.sink)
        except MalformedSinks:
            return  # the service itself rejects it, once

    async def _tell(self, group: asyncio.TaskGroup) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            self._stir.clear()
            for job in ready(self._progress, clock(), self._settings.at_once):
                self._progress = started(self._progress, job.sequence)
                group.create_task(self._attempt(job))
            due = deadline(self._progress, self._settings.at_once)
            try:
                async with asyncio.timeout_at(due):
                    await self._stir.wait()
            except TimeoutError:
                continue

    async def _attempt(self, job: Job) -> None:
        stored, config, attempts = self._open[job.sequence], self.config, job.attempts + 1
        notice = Notice(
            self.sink,
            stored.event,
            stored.subject,
            stored.raw,
            stored.sequence,
            attempts,
            job.served,
        )
        clock = asyncio.get_running_loop().time
        began = clock()
        outcome = await deliver(config, notice, self._names)
        took_ms = (clock() - began) * 1000
        result = "delivered" if isinstance(outcome, Delivered) else "failed"
        ATTEMPTS.labels(self.sink, result).inc()
        if isinstance(outcome, Failed) and not is_exhausted(config.retry, attempts):
            self._postpone(notice, outcome, config)
        else:
            await self._finish(notice, outcome, config, took_ms)
        self._stir.set()

    def _postpone(self, notice: Notice, failure: Failed, config: SinkConfig) -> None:
        jitter = random.random()  # noqa: S311 - it spreads attempts and guards nothing
        wait = delay(config.retry, notice.attempt, jitter, failure.after)
        _log.warning(
            "notification failed, it will be tried again",
            sink=self.sink,
            event_type=notice.subject.type,
            entity=notice.event.subject,
            key=notice.key,
            attempt=notice.attempt,
            why=failure.detail,
            again_in=round(wait, 3),
        )
        due = asyncio.get_running_loop().time() + wait
        self._progress = postponed(self._progress, notice.sequence, due, failure.served)

    async def _finish(
        self, notice: Notice, outcome: Delivered | Failed, config: SinkConfig, took_ms: float
    ) -> None:
        """Write the receipt of what was delivered or given up, and go on."""
        is_delivered = isinstance(outcome, Delivered)
        if not is_delivered:
            _log.error(
                "notification given up",
                sink=self.sink,
                event_type=notice.subject.type,
                entity=notice.event.subject,
                key=notice.key,
                attempts=notice.attempt,
                why=outcome.detail,
            )
            reason = f"sink {self.sink}: {outcome.detail}"
            await self._journal.reject(self._open[notice.sequence], reason)
        del self._open[notice.sequence]
        self._room.set()
        OPEN.labels(self.sink).set(len(self._open))
        self._progress = finished(self._progress, notice.sequence)
        receipt = Receipt(
            sink=self.sink,
            kind=config.kind,
            delivered=is_delivered,
            events=(notice.event.id,),
            about=f"{notice.subject.type} {notice.event.subject}",
            key=notice.key,
            attempts=notice.attempt,
            detail=outcome.detail,
            took_ms=took_ms,
            reader=reader(self._progress),
            causes=Causes(ids=(notice.event.id,), count=1),
        )
        kind = "notify.sent" if is_delivered else "notify.failed"
        self._journal.publish(stamp.draft(kind, (self.sink,), receipt, cause=notice.event.id))

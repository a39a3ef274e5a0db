"""The writer: follows the log, folds what arrived, plans once, performs once, says what it did."""

import asyncio
import gc
from collections.abc import Iterable

import structlog

from libra_ipvs_writer.settings import Settings
from libra_ipvs_writer.shell.forward import Forward
from libra_ipvs_writer.shell.kernel import Kernel
from libra_ipvs_writer.shell.surroundings import Surroundings
from libra_ipvs_writer.shell.table import KernelTable
from libra_ipvs_writer.touch import by_service
from libra_runtime.journal import CaughtUp, Journal, Stored
from libra_schemas.errors import ConfigError
from libra_schemas.events import ConfigApplied
from libra_schemas.intent.fold import Entry, RegisterName, absorb
from libra_schemas.intent.prepared import Prepared, prepare
from libra_schemas.load import config_of

OWN = ("service", "table", "conn")
HEARD = ("config", "backend", "operator", "vrrp")
CONFIG: RegisterName = ("config", "cluster")
QUEUE = 5000
BATCH = 1000


class Writer:
    """One node's writer; `run` ends only by cancellation or an error."""

    def __init__(self, settings: Settings, journal: Journal, kernel: Kernel) -> None:
        self._settings = settings
        self._journal = journal
        self._state: dict[RegisterName, Entry] = {}
        self._prepared: Prepared | None = None
        self._configs: dict[int, tuple[Prepared, str]] = {}
        self._queue: asyncio.Queue[Stored | CaughtUp] = asyncio.Queue(QUEUE)
        self._log = structlog.get_logger()
        self.table = KernelTable(settings, journal, kernel)
        self.surroundings = Surroundings(journal, kernel)
        self.forward = Forward()
        self.ready = asyncio.Event()

    def trouble(self) -> str | None:
        """Say in one sentence what keeps this writer from being healthy."""
        if not self.ready.is_set():
            return self._journal.trouble or "The log has not been read to its end yet."
        around = self.surroundings.trouble or self.forward.trouble
        return self._journal.trouble or around or self.table.trouble

    async def run(self) -> None:
        """Recover, bring the kernel to what the log says, then follow the log for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            await self._recover()
            tasks.create_task(self._read_back())
            while True:
                self._handle(await self._next())

    def leave(self) -> None:
        """Take out the services that the config wants removed when LibrA stops."""
        if self._prepared is not None and self.ready.is_set():
            self.table.leave(self._prepared)

    async def _listen(self) -> None:
        async for item in self._journal.follow(*HEARD):
            await self._queue.put(item)

    async def _recover(self) -> None:
        own = self._journal.follow(*OWN)
        heard: list[Stored] = []
        async for item in own:
            if isinstance(item, CaughtUp):
                break
            heard.append(item)
        await own.aclose()
        while not isinstance(item := await self._queue.get(), CaughtUp):
            accepted = await self._acceptable(item)
            heard.extend([accepted] if accepted else [])
        registers = absorb(self._state, map(_entry, heard))
        self._reconfigure(registers)
        gc.freeze()  # what was recovered stays: no pause for looking at it again
        self.table.open(self._state, self._prepared)
        self.surroundings.settle(self._state, self._prepared)
        await self.forward.look(self._prepared)
        self.ready.set()
        self._log.info("caught up", sequence=item.sequence, registers=len(registers))

    async def _next(self) -> list[Stored]:
        """Wait for what arrives or for a retry that is due; take all that is there.

        Not for ever: the reading-back beside us may have noted a retry meanwhile.
        """
        latest = asyncio.get_running_loop().time() + self._settings.read_back
        try:
            async with asyncio.timeout_at(min(self.table.next_retry() or latest, latest)):
                taken = [await self._queue.get()]
        except TimeoutError:
            return []
        while not self._queue.empty() and len(taken) < BATCH:
            taken.append(self._queue.get_nowait())
        found = [await self._judge(item) for item in taken if isinstance(item, Stored)]
        return [each for each in found if each is not None]

    async def _judge(self, stored: Stored) -> Stored | None:
        """Give *stored* back where it can be used; else reject it."""
        why = self._unusable(stored)
        if why is None:
            return stored
        self._log.error("config unusable", sequence=stored.sequence, why=why)
        await self._journal.reject(stored, why)
        return None

    def _unusable(self, stored: Stored) -> str | None:
        """Prepare a config; say in one sentence why it cannot be used, None where it can."""
        data = stored.event.data
        if not isinstance(data, ConfigApplied):
            return None
        try:
            config, revision = config_of(data)
        except ConfigError as error:
            more = len(error.problems) - 1
            return f"config: {error.problems[0]}" + (f" (and {more} more)" if more else "")
        self._configs[stored.sequence] = prepare(config, self._journal.node), str(revision)
        return None

    def _handle(self, batch: list[Stored]) -> None:
        registers = absorb(self._state, map(_entry, batch))
        if self._reconfigure(registers) and self._prepared is not None:
            self.table.reconfigure(self._prepared)
            self.surroundings.settle(self._state, self._prepared)
        elif any(register[0] == "instance" for register in registers):
            self.surroundings.settle(self._state, self._prepared)
        if self._prepared is None:
            return
        names = by_service(registers, self.table.names(self._prepared)).keys() | self.table.due()
        self.table.write(self._state, self._prepared, names, registers)

    def _reconfigure(self, registers: Iterable[RegisterName]) -> bool:
        if CONFIG not in registers:
            return False
        entry = self._state[CONFIG]
        if entry.sequence not in self._configs:
            return False
        self._prepared, self.table.voice.revision = self._configs[entry.sequence]
        self._configs.clear()
        return True

    async def _read_back(self) -> None:
        while True:
            await asyncio.sleep(self._settings.read_back)
            if self._prepared is None:
                continue
            self.surroundings.settle(self._state, self._prepared)
            for drifted in self.table.compare():
                self.table.write(self._state, self._prepared, drifted)
                await asyncio.sleep(0)
            await self.forward.look(self._prepared)

    async def _acceptable(self, stored: Stored) -> Stored | None:
        """Give the newest event of a register that can be used; reject those that cannot."""
        candidate: Stored | None = stored
        while candidate is not None and await self._judge(candidate) is None:
            candidate = await self._journal.before(candidate)
        return candidate


def _entry(stored: Stored) -> Entry:
    return Entry(stored.sequence, stored.subject, stored.event)

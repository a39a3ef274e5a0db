"""What the log says of the notifier's past: everything a restart needs.

Rule: only the log is asked. The kept config counts only where the log holds none.
"""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from libra_notifier.history import Accepted, History, MalformedSinks, accepted, beginning
from libra_notifier.progress import Receipts, receipted
from libra_notifier.routes import CONFIG
from libra_notifier.settings import SERVICE
from libra_runtime.journal import CaughtUp, Journal, JournalUnavailable, Stored
from libra_schemas.events import Receipt

_log = structlog.get_logger()

_RECEIPTS = "notify"
_STARTS = "node.started"


@dataclass(frozen=True, slots=True)
class Past:
    """Accepted configs, receipts per sink, where we first started, and LOG's newest sequence."""

    history: History
    receipts: Mapping[str, Receipts]
    first_start: int
    newest: int

    def beginning(self, sink: str) -> int:
        """Name the LOG sequence after which *sink* is told."""
        receipts = self.receipts.get(sink, Receipts())
        return min(beginning(self.history, sink, self.first_start, receipts), self.newest)

    def done(self, sink: str) -> frozenset[str]:
        """Name the events that *sink* was told, by id, as far as a restart could repeat them."""
        return self.receipts.get(sink, Receipts()).done


async def recover(journal: Journal, kept: Accepted | None) -> Past:
    """Read the past; first make sure that the receipts of our predecessor are in the log."""
    await journal.flush()
    registers, newest = await _registers(journal)
    known = {each.sequence: each for each in registers if each.subject.type == CONFIG}
    first_start = newest
    async with aclosing(journal.read(CONFIG, _STARTS, last=newest)) as log:
        async for stored in log:
            if stored.subject.type == CONFIG:
                known[stored.sequence] = stored
            elif stored.subject.key == (SERVICE,):
                is_first = stored.event.epoch == 1
                first_start = min(first_start, stored.sequence if is_first else 0)
    history = tuple(_accepted(known[sequence]) for sequence in sorted(known))
    found = tuple(each for each in history if each is not None)
    receipts = await _receipts(journal, registers, newest)
    return Past(found or ((kept,) if kept else ()), receipts, first_start, newest)


async def _registers(journal: Journal) -> tuple[list[Stored], int]:
    """Read the newest config and the newest receipt of every sink."""
    found: list[Stored] = []
    async with aclosing(journal.follow(CONFIG, _RECEIPTS)) as stream:
        async for item in stream:
            if isinstance(item, CaughtUp):
                return found, item.sequence
            found.append(item)
    raise JournalUnavailable("the log ended before its newest event; start the notifier again")


async def _receipts(
    journal: Journal, registers: list[Stored], newest: int
) -> Mapping[str, Receipts]:
    """Fold the newest receipt per sink, then all after the lowest mark: they name what is done."""
    found: defaultdict[str, Receipts] = defaultdict(Receipts)
    for stored in registers:
        _learn(found, stored)
    if not found:
        return found
    lowest = min(receipts.reader for receipts in found.values())
    async with aclosing(journal.read(_RECEIPTS, first=lowest + 1, last=newest)) as log:
        async for stored in log:
            _learn(found, stored)
    return found


def _learn(found: defaultdict[str, Receipts], stored: Stored) -> None:
    if isinstance(stored.event.data, Receipt):
        sink = stored.subject.key[0]
        found[sink] = receipted(found[sink], stored.event.data)


def _accepted(stored: Stored) -> Accepted | None:
    try:
        return accepted(stored.event, stored.sequence)
    except MalformedSinks as error:
        _log.warning("config not accepted", sequence=stored.sequence, why=str(error))
        return None

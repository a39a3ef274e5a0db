"""The log of a node up to one moment, and from STATE the registers that are older than LOG."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

from libra_cli import log
from libra_cli.exits import REFUSED, CommandError
from libra_runtime.session import Session
from libra_runtime.stored import Record, last_sequence, page
from libra_schemas.envelope import decode
from libra_schemas.errors import MalformedEvent
from libra_schemas.intent.fold import Entry
from libra_schemas.subjects import LOG, REGISTER_OF, STATE


@dataclass(slots=True)
class Reach:
    """One consistent cut: every reading ends at *until*; *first* is where LOG begins.

    *skipped* counts the malformed events that were met.
    """

    session: Session
    node: str
    until: log.Moment
    first: int
    skipped: int = 0

    async def entries(self, *areas: str) -> AsyncGenerator[Entry, None]:
        """Yield the events of *areas* (first tokens of types): older registers, then LOG."""
        for record in await self._older(areas):
            for entry in self._decoded(record):
                yield entry
        for area in areas:
            subject = f"lvs.{self.node}.{area}.>"
            async with aclosing(log.read(self.session, subject, self.first, self.until)) as records:
                async for record in records:
                    for entry in self._decoded(record):
                        yield entry

    async def _older(self, areas: tuple[str, ...]) -> list[Record]:
        """Read the registers whose newest event LOG dropped, in the order of the log."""
        registers = {name for kind, name in REGISTER_OF.items() if kind.split(".")[0] in areas}
        found: list[Record] = []
        for register in registers:
            subject = f"state.{self.node}.{register}.>"
            async with aclosing(log.read(self.session, subject, 1, stream=STATE)) as records:
                found += [each async for each in records if each.sequence < self.first]
        return sorted(found, key=lambda each: each.sequence)

    def _decoded(self, record: Record) -> list[Entry]:
        try:
            subject, event = decode(record.subject, record.raw)
        except MalformedEvent:
            self.skipped += 1
            return []
        return [Entry(record.sequence, subject, event)]


async def reach(session: Session, node: str, moment: log.Moment | None) -> Reach:
    """Fix the end of all reading (None: now); refuse a moment outside the log."""
    newest = await last_sequence(session)
    if moment is not None:
        moment.require_reached(newest, datetime.now(UTC))
    until = moment or log.Moment(newest, None)
    records, _ = await page(session, LOG, ">", 1)
    if records and until.is_before(records[0]):
        first = records[0]
        raise CommandError(
            f"the log begins at sequence {first.sequence}, {first.time.isoformat()}; "
            "what was before is not in it",
            REFUSED,
        )
    return Reach(session, node, until, records[0].sequence if records else newest + 1)

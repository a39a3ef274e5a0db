"""`libra replay`: the table the kernel held at any moment, folded from the log."""

import json
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from libra_cli import log
from libra_cli.exits import REFUSED, CommandError
from libra_cli.history import History, MalformedTable
from libra_cli.output import columns
from libra_cli.site import Site
from libra_runtime.session import Session
from libra_runtime.stored import page
from libra_schemas.envelope import decode
from libra_schemas.errors import MalformedEvent
from libra_schemas.ipvsadm import render
from libra_schemas.subjects import LOG
from libra_schemas.table import ServiceTable, Table, table_to_json

Format = Literal["ipvsadm", "json", "table"]


@dataclass(frozen=True, slots=True)
class Past:
    """A table of the past; *unsure* names services whose digest the log contradicts."""

    table: Table
    names: dict[str, str]
    sequence: int
    unsure: dict[str, int]
    skipped: int = 0


async def replay(site: Site, at: str | None, services: Iterable[str]) -> Past:
    """Fold `table.*` up to and including *at* (a time as the log stored it, or a sequence)."""
    moment = log.Moment.parse(at, datetime.now(UTC)) if at else None
    async with log.connect(site) as session:
        return await _fold(session, site.node, moment, services)


async def _fold(
    session: Session, node: str, moment: "log.Moment | None", services: Iterable[str]
) -> Past:
    await _require_reach(session, moment)
    history = History()
    skipped = 0
    async with aclosing(log.read(session, f"lvs.{node}.table.>", 1, moment)) as records:
        async for each in records:
            try:
                _, event = decode(each.subject, each.raw)
                history.learn(each.sequence, event)
            except (MalformedEvent, MalformedTable):
                skipped += 1
    table = history.of(services)
    names = {str(key): history.names[key] for key in table}
    return Past(table, names, history.sequence, dict(history.unsure), skipped)


async def _require_reach(session: Session, moment: "log.Moment | None") -> None:
    """Refuse a moment before the log begins."""
    records, _ = await page(session, LOG, ">", 1)
    if moment is not None and records and moment.is_before(records[0]):
        first = records[0]
        raise CommandError(
            f"the log begins at sequence {first.sequence}, {first.time.isoformat()}; "
            "what was before is not in it",
            REFUSED,
        )


def formatted(past: Past, form: Format) -> str:
    """Print a table; "" for an empty one in ipvsadm's format."""
    if form == "ipvsadm":
        return render(past.table)
    if form == "json":
        return json.dumps(_json(past), ensure_ascii=False) + "\n"
    return "".join(f"{_block(past, table)}\n" for table in past.table.values())


def _json(past: Past) -> dict[str, object]:
    return {
        "sequence": past.sequence,
        "unsure": past.unsure,
        "services": [
            {"name": past.names[str(key)]} | table_to_json(table)
            for key, table in past.table.items()
        ],
    }


def _block(past: Past, table: ServiceTable) -> str:
    service = table.service
    more = f", persistent {service.persistence} s" if service.persistence else ""
    head = f"{past.names[str(table.key)]}: {table.key} {service.scheduler}{more}"
    rows = [(str(each), each.forward, f"weight {each.weight}") for each in table.destinations]
    return f"{head}\n{columns(rows, '  ') or '  no destinations'}"

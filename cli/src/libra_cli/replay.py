"""`libra replay`: the table the kernel held at any moment, or should have, from the log."""

import json
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from libra_cli import log
from libra_cli.exits import REFUSED, CommandError
from libra_cli.output import columns
from libra_cli.reach import Reach, reach
from libra_cli.site import Site
from libra_schemas.intent.history import History
from libra_schemas.intent.moment import AREAS, Moment, moment
from libra_schemas.ipvsadm import render
from libra_schemas.marks import is_private
from libra_schemas.reading import MalformedTable
from libra_schemas.table import ServiceTable, Table, table_to_json

Format = Literal["ipvsadm", "json", "table"]


@dataclass(frozen=True, slots=True)
class Query:
    """Which moment (a time as the log stored it, or a sequence) and which services (none: all).

    *desired*: what was wanted, not what the kernel held. *paths*: also the private services of
    checks with `data_path`, which else only their own names bring.
    """

    at: str | None = None
    services: tuple[str, ...] = ()
    desired: bool = False
    paths: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """A table of the past; *doubts* are sentences on what may be wrong with it."""

    table: Table
    names: dict[str, str]
    sequence: int
    unsure: dict[str, int]
    """Services whose digest the log contradicts, and the sequence where that began."""
    doubts: tuple[str, ...] = ()


async def replay(site: Site, query: Query) -> Past:
    """Fold the log up to and including the moment asked for."""
    asked = log.Moment.parse(query.at, datetime.now(UTC)) if query.at else None
    async with log.connect(site) as session:
        reading = await reach(session, site.node, asked)
        history = await _history(reading)
        past = await _wanted(reading, history) if query.desired else _held(history)
    skipped = (f"{reading.skipped} malformed events were left out",) if reading.skipped else ()
    return _chosen(past, query, skipped)


async def _history(reading: Reach) -> History:
    history = History()
    async with aclosing(reading.entries("table")) as entries:
        async for each in entries:
            try:
                history.learn(each.sequence, each.event)
            except MalformedTable:
                reading.skipped += 1
    return history


def _held(history: History) -> Past:
    doubts = tuple(
        f"{name} is not sure: from sequence {sequence} on the fold of the log differs from the "
        "digest in it"
        for name, sequence in history.unsure.items()
    )
    names = {str(key): history.names[key] for key in history.tables}
    return Past(history.tables, names, history.sequence, dict(history.unsure), doubts)


async def _wanted(reading: Reach, history: History) -> Past:
    """Join the registers at the moment with what the kernel held then."""
    async with aclosing(reading.entries(*AREAS)) as entries:
        found = moment(reading.node, [each async for each in entries])
    if found.prepared is None:
        raise CommandError("no config was in force: nothing was wanted", REFUSED)
    held = _held(history)
    newest = max(entry.sequence for entry in found.state.values())
    names = {str(key): name for key, name in found.prepared.owners.items()}
    doubts = (*held.doubts, *_unusable(found))
    return Past(found.wanted(held.table), names, max(newest, held.sequence), held.unsure, doubts)


def _unusable(found: Moment) -> list[str]:
    return [
        f"the config of sequence {sequence} cannot be used: the one before it counts"
        for sequence in found.unusable
    ]


def _chosen(past: Past, query: Query, doubts: tuple[str, ...]) -> Past:
    """Keep the tables of the services asked for (names in the config, or kernel keys).

    Without any named all are, but for private ones where nobody asked for `paths`. A name that is
    no service of that moment is told as a doubt.
    """
    wanted = set(query.services)
    known = {*past.names.values(), *map(str, past.table)}
    doubts += tuple(f"the table holds no service {name!r}" for name in sorted(wanted - known))

    def is_asked_for(key: str) -> bool:
        name = past.names[key]
        return bool({name, key} & wanted) if wanted else query.paths or not is_private(name)

    table = {key: each for key, each in past.table.items() if is_asked_for(str(key))}
    return replace(past, table=table, doubts=(*past.doubts, *doubts))


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
        "doubts": list(past.doubts),
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

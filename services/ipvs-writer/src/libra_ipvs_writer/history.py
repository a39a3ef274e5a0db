"""What the log says the kernel held: the writer's own `table.*` events, folded per service.

Rule: only the newest digest of a service is needed to tell whether the kernel still holds what
was written; the listing itself is replayed by the command line alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from libra_schemas.events import TableChange, TableDrift, TableRecord
from libra_schemas.intent.fold import Entry, State
from libra_schemas.reading import MalformedTable
from libra_schemas.table import ServiceKey, key_from_json, table_from_json


@dataclass(frozen=True, slots=True)
class Memory:
    """The last the log says of one service: *key* None where the kernel held none."""

    name: str
    key: ServiceKey | None
    digest: str
    changes: int
    """`table.changed` since the last `table.recorded`."""


def remembered(state: State) -> dict[str, Memory]:
    """Tell, by service name, what the log says the kernel held last.

    A kernel service that changed its name is the newest one's alone.
    """
    newest: dict[str, Entry] = {}
    for (register, *key), entry in state.items():
        if register in {"change", "record"}:
            known = newest.get(key[0])
            if known is None or entry.sequence > known.sequence:
                newest[key[0]] = entry
    in_order = sorted(newest.items(), key=lambda item: item[1].sequence)
    memories = [each for name, entry in in_order if (each := _memory(name, entry)) is not None]
    last = {each.key: each.name for each in memories}
    return {each.name: each for each in memories if each.key is None or last[each.key] == each.name}


def _memory(name: str, entry: Entry) -> Memory | None:
    data = entry.event.data
    try:
        match data:
            case TableChange():
                key = key_from_json(data.key) if data.present else None
                return Memory(name, key, data.digest, data.changes)
            case TableRecord():
                held = table_from_json(data.table).key if data.table else None
                return Memory(name, held, data.digest, 0)
            case _:
                return None
    except MalformedTable:
        return None


def reported(state: State) -> frozenset[str]:
    """Name the foreign services that the log already told of."""
    return frozenset(_foreign(state.items()))


def _foreign(entries: Iterable[tuple[tuple[str, ...], Entry]]) -> Iterable[str]:
    for (register, *key), entry in entries:
        data = entry.event.data
        if register == "drift" and isinstance(data, TableDrift) and not data.ours:
            yield key[0]


def newest_own(state: State) -> int:
    """Give the LOG sequence of the newest `table.*` event, 0 where there is none."""
    registers = {"change", "record", "refusal", "drift"}
    return max(
        (entry.sequence for (register, *_), entry in state.items() if register in registers),
        default=0,
    )

"""State is a map of registers; the last writer by LOG sequence wins (design §3).

Rule: `fold` never reads one register to change another, never drops what it does not know, never
prunes and knows no clock. What registers mean together is decided in `desired` alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from libra_schemas.envelope import Event, Unrecognised
from libra_schemas.events.common import Data
from libra_schemas.subjects import Subject

Kind = TypeVar("Kind", bound=Data)
RegisterName = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as the log holds it: *sequence* is its LOG sequence."""

    sequence: int
    subject: Subject
    event: Event | Unrecognised


State = Mapping[RegisterName, Entry]
"""Register name (see `Subject.register`) -> the newest event that wrote it."""


def fold(state: State, entries: Iterable[Entry]) -> tuple[State, frozenset[RegisterName]]:
    """Fold a whole batch; return the new state and the registers that changed."""
    newer: dict[RegisterName, Entry] = {}
    for entry in entries:
        name = entry.subject.register
        known = newer.get(name) or state.get(name)
        if known is None or entry.sequence > known.sequence:
            newer[name] = entry
    return ({**state, **newer} if newer else state), frozenset(newer)


def data(state: State, kind: type[Kind], *name: str) -> Kind | None:
    """Give the data of register *name*, None where it holds nothing of that *kind*."""
    entry = state.get(name)
    found = entry.event.data if entry else None
    return found if isinstance(found, kind) else None

"""State is a map of registers; the last writer by LOG sequence wins (design §3).

Rule: `fold` never reads one register to change another, never drops what it does not know, never
prunes and knows no clock. What registers mean together is decided in `desired` alone.
"""

from collections.abc import Iterable, Mapping, MutableMapping
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
    after = dict(state)
    changed = absorb(after, entries)
    return (after if changed else state), changed


def absorb(
    state: MutableMapping[RegisterName, Entry], entries: Iterable[Entry]
) -> frozenset[RegisterName]:
    """Fold a batch into *state* itself, for who alone holds it: the cost is the batch's."""
    changed: set[RegisterName] = set()
    for entry in entries:
        name = entry.subject.register
        known = state.get(name)
        if known is None or entry.sequence > known.sequence:
            state[name] = entry
            changed.add(name)
    return frozenset(changed)


def data(state: State, kind: type[Kind], *name: str) -> Kind | None:
    """Give the data of register *name*, None where it holds nothing of that *kind*."""
    entry = state.get(name)
    found = entry.event.data if entry else None
    return found if isinstance(found, kind) else None

"""The registers of a node as the console knows them: the newest event of each.

Rule: folded as everywhere (`libra_schemas.intent.fold`), but what this release does not know
changes nothing here: a newer release's config must not look as if there were none.
"""

from collections.abc import Iterable

from libra_schemas.envelope import Event
from libra_schemas.intent.fold import Entry, State, fold


def learn(registers: State, entries: Iterable[Entry]) -> State:
    """Fold *entries*, in any order."""
    known = (entry for entry in entries if isinstance(entry.event, Event))
    return fold(registers, known)[0]


def of_kind(registers: State, name: str) -> list[tuple[tuple[str, ...], Entry]]:
    """List all registers called *name* with their keys, sorted by key."""
    return sorted(
        ((key[1:], held) for key, held in registers.items() if key[0] == name),
        key=lambda item: item[0],
    )

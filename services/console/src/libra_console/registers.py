"""The registers of a node as the console knows them: the newest event of each.

Rule: last writer by LOG sequence wins; nothing is dropped, nothing is joined here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from libra_schemas.envelope import Event, Unrecognised
from libra_schemas.events import EventData
from libra_schemas.subjects import Subject

Data = TypeVar("Data", bound=EventData)


@dataclass(frozen=True, slots=True)
class Register:
    """The newest event of one entity; *stored* is when the log stored it (aware)."""

    subject: Subject
    event: Event
    sequence: int
    stored: datetime


Registers = Mapping[tuple[str, ...], Register]
"""(register, *key) -> what it holds; see `libra_schemas.subjects.Subject.register`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as the log gave it."""

    subject: Subject
    event: Event | Unrecognised
    sequence: int
    stored: datetime


def fold(registers: Registers, entries: Iterable[Entry]) -> Registers:
    """Fold *entries*, in any order; what this release does not know changes nothing."""
    folded = dict(registers)
    for entry in entries:
        held = folded.get(entry.subject.register)
        if isinstance(entry.event, Event) and (held is None or held.sequence < entry.sequence):
            folded[entry.subject.register] = Register(
                entry.subject, entry.event, entry.sequence, entry.stored
            )
    return folded


def data(registers: Registers, kind: type[Data], *register: str) -> Data | None:
    """Give the data of one register, None where it holds nothing of that *kind*."""
    held = registers.get(register)
    return held.event.data if held and isinstance(held.event.data, kind) else None


def of_kind(registers: Registers, name: str) -> list[tuple[tuple[str, ...], Register]]:
    """List all registers called *name* with their keys, sorted by key."""
    return sorted(
        ((key[1:], held) for key, held in registers.items() if key[0] == name),
        key=lambda item: item[0],
    )

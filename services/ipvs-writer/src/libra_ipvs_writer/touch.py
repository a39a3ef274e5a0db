"""Which services a batch of events may change, and which events are the causes.

Rule: a service that is not touched is neither computed nor planned.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from libra_schemas.events import Causes
from libra_schemas.events.common import MAX_CAUSES
from libra_schemas.intent.fold import Entry, RegisterName, State


@dataclass(frozen=True, slots=True)
class Cause:
    """One event that a change follows from: *what* says it for people."""

    id: str
    time: datetime
    what: str
    backend: str | None = None


def by_service(
    registers: Iterable[RegisterName], names: AbstractSet[str]
) -> dict[str, list[RegisterName]]:
    """Sort changed registers by the services, of *names*, that they speak of."""
    found: dict[str, list[RegisterName]] = {}
    everywhere: list[RegisterName] = []
    for register in registers:
        match register:
            case ("backend", service, _) | ("admin", "service", service):
                found.setdefault(service, []).append(register)
            case ("admin", "backend", service, _):
                found.setdefault(service, []).append(register)
            case ("admin", "node", _) | ("config", _):
                everywhere.append(register)
            case _:
                pass
    chosen = set(names) if everywhere else found.keys() & names
    return {name: found.get(name, []) + everywhere for name in chosen}


def causes_of(state: State, registers: Iterable[RegisterName]) -> tuple[Cause, ...]:
    """Give the events that wrote *registers*, oldest first."""
    found = [(state[register], register) for register in registers if register in state]
    return tuple(_cause(entry, register) for entry, register in sorted(found, key=_sequence))


def _sequence(found: tuple[Entry, RegisterName]) -> int:
    return found[0].sequence


def _cause(entry: Entry, register: RegisterName) -> Cause:
    backend = register[-1] if "backend" in register[:2] else None
    what = " ".join((entry.subject.type, "/".join(entry.subject.key)))
    return Cause(entry.event.id, entry.event.time, what, backend)


def listed(causes: Iterable[Cause]) -> Causes:
    """List causes for an event's data: at most 100 and how many there were."""
    ids = tuple(each.id for each in causes)
    return Causes(ids=ids[:MAX_CAUSES], count=len(ids))

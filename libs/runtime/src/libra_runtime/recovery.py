"""STATE, read as a whole: every register's newest acceptable event, in LOG order.

Rule: what STATE holds was applied up to `Registers.floor` in LOG order when the reading began;
events after it come from LOG and count only where they are newer than their register's.
"""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from libra_runtime.journal import Stored
from libra_runtime.session import Session
from libra_runtime.stored import Record, last_sequence, newest, newest_of, page
from libra_schemas.subjects import REGISTER_OF, STATE, Subject

Accept = Callable[[Record], Stored | None]
"""Decode a record; None where it is none of ours (then it went to the dead letters)."""


@dataclass(slots=True)
class Registers:
    """Which LOG sequence each register of STATE had, and where LOG has to be followed from."""

    floor: int = 0
    newest: int = 0
    known: dict[str, int] = field(default_factory=dict)

    def note(self, record: Record) -> None:
        """Remember which event the register of *record* had."""
        self.known[_split(record.subject).state] = record.sequence
        self.newest = max(self.newest, record.sequence)

    def is_news(self, stored: Stored) -> bool:
        """Say whether an event from LOG is newer than what STATE already told."""
        if stored.sequence > self.newest:
            return True
        return stored.sequence > self.known.get(stored.subject.state, 0)


async def recover(
    session: Session, node: str, types: tuple[str, ...], accept: Accept
) -> tuple[Registers, list[Stored]]:
    """Read the registers that *types* write (none: all of STATE), newest acceptable event each.

    The events are in LOG order. Raise SessionLost, TimeoutError or ApiError.
    """
    registers = Registers()
    end = await newest(session, STATE, f"state.{node}.>")
    if end is None or end.sequence > await last_sequence(session):
        return registers, []  # nothing yet, or LOG was made anew: LOG alone counts
    registers.floor = end.sequence
    found: list[Stored] = []
    for subject in _subjects(node, types):
        async for record in _records(session, subject):
            registers.note(record)
            stored = accept(record)
            if stored is None:
                stored = await before(session, record.subject, record.sequence, accept)
            if stored is not None:
                found.append(stored)
    return registers, sorted(found, key=lambda stored: stored.sequence)


async def before(session: Session, subject: str, sequence: int, accept: Accept) -> Stored | None:
    """Look up the newest acceptable event in LOG that wrote the register of *subject* earlier."""
    subjects = _siblings(subject)
    while subjects:
        older = await newest_of(session, subjects, sequence - 1)
        if not older:
            return None
        stored = accept(older[0])
        if stored is not None:
            return stored
        sequence = older[0].sequence
    return None


def _subjects(node: str, types: tuple[str, ...]) -> list[str]:
    if not types:
        return [f"state.{node}.>"]
    registers = {
        register: 0
        for kind, register in REGISTER_OF.items()
        if kind in types or kind.split(".")[0] in types
    }
    return [f"state.{node}.{register}.>" for register in registers]


async def _records(session: Session, subject: str) -> AsyncGenerator[Record, None]:
    first, more = 1, True
    while more:
        records, more = await page(session, STATE, subject, first)
        for record in records:
            yield record
            first = record.place + 1


def _split(subject: str) -> Subject:
    """Take a LOG subject apart without judging its tokens."""
    _, node, word, verb, *key = subject.split(".")
    return Subject(node, f"{word}.{verb}", tuple(key))


def _siblings(subject: str) -> list[str]:
    """List the LOG subjects that write the same register as *subject*."""
    place = _split(subject)
    register = REGISTER_OF.get(place.type)
    kinds = [kind for kind, name in REGISTER_OF.items() if name == register] or [place.type]
    return [str(Subject(place.node, kind, place.key)) for kind in kinds]

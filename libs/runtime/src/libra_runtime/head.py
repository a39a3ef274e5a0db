"""What the log holds of one source: its newest event, its newest claim, how far the log goes.

Rule: read the log's end first; whoever then publishes with that end as expected last sequence
knows that nothing of what was read has changed.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from libra_runtime.chain import START, Head, head_of
from libra_runtime.session import Session
from libra_runtime.settings import Edge
from libra_runtime.stored import Record, at, last_sequence, newest
from libra_schemas.nats import own_subjects
from libra_schemas.subjects import LOG, REGISTER_OF, STATE, parse


@dataclass(frozen=True, slots=True)
class View:
    """The log as its source sees it: *last* is LOG's newest sequence when the look began.

    *claim* is the newest node.started of the source (None: there was none); *guard* its LOG
    sequence as the server compares it, 0 where LOG no longer holds it.
    """

    last: int
    head: Head
    claim: Head | None
    guard: int


async def look(session: Session, edge: Edge) -> View:
    """Read the source's place in the log, from STATE where LOG has dropped it."""
    last = await last_sequence(session)
    started = f"lvs.{edge.node}.node.started.{edge.service}"
    head, claim = await asyncio.gather(_head(session, edge), newest(session, LOG, started))
    guard = claim.sequence if claim else 0
    if claim is None:
        claim = await newest(session, STATE, parse(started).state)
    return View(last, head, _place(claim, edge) if claim else None, guard)


async def _head(session: Session, edge: Edge) -> Head:
    subjects = own_subjects(edge.node, edge.service)
    found = await _newest(session, LOG, subjects)
    if found:
        place = _place(found[0], edge) or await _scan_back(session, edge, found[0].sequence - 1)
        if place:
            return place
    states = [state for subject in subjects for state in _states(subject)]
    for record in await _newest(session, STATE, states):
        place = _place(record, edge)
        if place:
            return place
    return START


async def _newest(session: Session, stream: str, subjects: Iterable[str]) -> list[Record]:
    answers = await asyncio.gather(*(newest(session, stream, subject) for subject in subjects))
    return sorted((each for each in answers if each), key=lambda record: -record.sequence)


async def _scan_back(session: Session, edge: Edge, sequence: int) -> Head | None:
    """Find our newest event up to *sequence*, behind one on our subjects that is none of ours."""
    while record := await at(session, sequence):
        place = _place(record, edge)
        if place:
            return place
        sequence -= 1
    return None


def _place(record: Record, edge: Edge) -> Head | None:
    return head_of(record.raw, record.sequence, edge.node, edge.service)


def _states(subject: str) -> list[str]:
    """Name the registers in STATE that the events on *subject* (may end in `.>`) write."""
    if not subject.endswith(".>"):
        return [parse(subject).state]
    _, node, word, _ = subject.split(".")
    registers = {name: 0 for kind, name in REGISTER_OF.items() if kind.startswith(f"{word}.")}
    return [f"state.{node}.{register}.>" for register in registers]

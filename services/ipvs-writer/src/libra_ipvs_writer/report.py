"""What the writer says after it has written: the data of `service.*` and `table.*` events.

Rule: only what the kernel accepted is a change; each event stands for itself (whole listing,
or digest of what resulted).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from libra_ipvs_writer.outcome import Result
from libra_ipvs_writer.touch import Cause, listed
from libra_schemas.events import ServiceState, TableChange, TableDrift, TableRecord, TableRefusal
from libra_schemas.events.writer import OperationResult
from libra_schemas.intent.desired import Wanted
from libra_schemas.operations import Operation, apply_operations, to_json
from libra_schemas.sentences import words
from libra_schemas.table import (
    Destination,
    ServiceKey,
    ServiceTable,
    Table,
    digest,
    key_to_json,
    table_to_json,
)
from libra_schemas.text import evidence

MAX_OPERATIONS = 100
"""Per event, so that one stays below 64 KiB."""
MAX_DIFFERENCES = 20
MAX_WHY = 3
"""Causes that a verdict names in words; all of them are in `causes`."""
RECORD_EVERY = 64
"""`table.changed` between two whole listings."""


@dataclass(frozen=True, slots=True)
class Motive:
    """Why a service is written: the events, and by destination what wanted its change."""

    causes: tuple[Cause, ...] = ()
    reasons: Mapping[tuple[str, int], str] = field(default_factory=dict)

    def of(self, operation: Operation) -> str:
        """Say what wanted *operation*."""
        named = getattr(operation, "destination", operation)
        reason = self.reasons.get((getattr(named, "address", ""), getattr(named, "port", 0)))
        return reason or (self.causes[0].what if self.causes else "")


def verdict(wanted: Wanted, causes: Sequence[Cause]) -> ServiceState:
    """Say the pool's arithmetic; only for a verdict that was reached."""
    pool = wanted.verdict
    return ServiceState(
        service=wanted.name,
        up=bool(pool.up),
        live_weight=pool.live_weight,
        quorum=pool.quorum,
        hysteresis=pool.hysteresis,
        eligible=pool.eligible,
        backends=pool.backends,
        sorry=wanted.sorry,
        why=evidence(words.listed([each.what for each in causes], MAX_WHY)),
        causes=listed(causes),
    )


def changes(
    name: str,
    key: ServiceKey,
    held: Table,
    done: Sequence[Operation],
    motive: Motive,
    count: int,
) -> Iterator[TableChange]:
    """Say the accepted operations on service *name*, in events of at most 100 of them.

    *held* is the table before, *count* the changes since the last whole listing.
    """
    table: Table = {each: held[each] for each in {op.key for op in done} | {key} if each in held}
    for at in range(0, len(done), MAX_OPERATIONS):
        part = done[at : at + MAX_OPERATIONS]
        table = apply_operations(table, part)
        count += 1
        yield TableChange(
            service=name,
            key=key_to_json(key),
            operations=tuple(
                OperationResult(operation=to_json(each), why=motive.of(each)) for each in part
            ),
            digest=digest_of(table.get(key)),
            present=key in table,
            changes=count,
            causes=listed(motive.causes),
        )


def digest_of(table: ServiceTable | None) -> str:
    """Digest what the kernel holds of one service, also where it holds none."""
    return digest(*([table] if table else []))


def record(name: str, why: str, table: ServiceTable | None) -> TableRecord:
    """Say the whole listing of one service (*why*: adopted, start, periodic, repaired)."""
    return TableRecord.model_validate(
        {
            "service": name,
            "why": why,
            "table": table_to_json(table) if table else None,
            "digest": digest_of(table),
        }
    )


def refusal(name: str, results: Sequence[Result], attempt: int, retry_ms: float) -> TableRefusal:
    """Say the first operation of *results* that the kernel refused."""
    refused = next(each for each in results if each.status == "refused")
    return TableRefusal(
        service=name,
        operation=to_json(refused.operation),
        errno=refused.errno,
        error=refused.error,
        attempt=attempt,
        retry_ms=retry_ms,
        cancelled=sum(each.status == "cancelled" for each in results),
    )


def drift(
    name: str, before: ServiceTable | None, now: ServiceTable | None, *, ours: bool
) -> TableDrift:
    """Say how the kernel differs from what was written; what is ours is repaired."""
    return TableDrift(
        service=name,
        ours=ours,
        differences=tuple(_differences(before, now))[:MAX_DIFFERENCES],
        repaired=ours,
    )


def _differences(before: ServiceTable | None, now: ServiceTable | None) -> Iterator[str]:
    if before is None or now is None:
        yield from (
            f"{each.key} {word}" for each, word in ((now, "appeared"), (before, "is gone")) if each
        )
        return
    if before.service != now.service:
        yield f"{now.key} has other attributes: {now.service.scheduler}"
    had = {each.key: each for each in before.destinations}
    has = {each.key: each for each in now.destinations}
    for key in sorted(had.keys() | has.keys()):
        if had.get(key) != has.get(key):
            yield _difference(had.get(key), has.get(key))


def _difference(had: Destination | None, has: Destination | None) -> str:
    if had is None:
        return f"{has} appeared"
    if has is None:
        return f"{had} is gone"
    if had.weight != has.weight:
        return f"{has} has weight {has.weight} instead of {had.weight}"
    return f"{has} has other attributes: {has.forward}"


def slug(key: ServiceKey) -> str:
    """Name a foreign service as a subject token: `tcp-192-0-2-10-80`, `fwmark-7-v6`."""
    return str(key).translate(str.maketrans(" .:", "---", "[]"))[:63]


def motive_of(causes: Sequence[Cause], places: Mapping[str, tuple[str, int]]) -> Motive:
    """Make a motive; *places* is backend -> destination."""
    reasons = {
        places[each.backend]: each.what
        for each in causes
        if each.backend is not None and each.backend in places
    }
    return Motive(tuple(causes), reasons)

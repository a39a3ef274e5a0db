"""What the log says the kernel held, service by service."""

from datetime import UTC, datetime

from libra_ipvs_writer.history import Memory, newest_own, remembered, reported
from libra_schemas.envelope import NEW_CHAIN, Event
from libra_schemas.events import EventData, TableChange, TableDrift, TableRecord
from libra_schemas.intent.fold import Entry, State
from libra_schemas.subjects import Subject
from libra_schemas.table import (
    Service,
    ServiceKey,
    ServiceTable,
    digest,
    key_to_json,
    table_to_json,
)

WEB = ServiceKey.of("tcp", "192.0.2.10", 80)
TABLE = ServiceTable.of(Service(WEB, "rr"))
ZEROS = "0" * 64


def entry(sequence: int, kind: str, name: str, data: EventData) -> Entry:
    event = Event(
        id=str(sequence),
        source="/lvs/a/ipvs-writer",
        type=kind,
        subject=name,
        time=datetime(2026, 1, 1, tzinfo=UTC),
        dataschema="",
        epoch=1,
        chainseq="1",
        chainprev=NEW_CHAIN,
        data=data,
    )
    return Entry(sequence, Subject("a", kind, (name,)), event)


def state(*entries: Entry) -> State:
    return {each.subject.register: each for each in entries}


def change(sequence: int, *, present: bool = True, count: int = 3) -> Entry:
    data = TableChange(
        service="web",
        key=key_to_json(WEB),
        operations=(),
        digest=ZEROS,
        present=present,
        changes=count,
    )
    return entry(sequence, "table.changed", "web", data)


def record(sequence: int, table: ServiceTable | None, name: str = "web") -> Entry:
    data = TableRecord(
        service=name,
        why="start",
        table=table_to_json(table) if table else None,
        digest=digest(*([table] if table else [])),
    )
    return entry(sequence, "table.recorded", name, data)


def test_the_newer_of_change_and_listing_is_remembered() -> None:
    assert remembered(state(record(1, TABLE), change(2))) == {"web": Memory("web", WEB, ZEROS, 3)}
    assert remembered(state(record(5, TABLE), change(2))) == {
        "web": Memory("web", WEB, digest(TABLE), 0)
    }


def test_a_service_that_was_renamed_is_remembered_by_its_new_name_alone() -> None:
    renamed = state(change(1), record(2, TABLE, "www"))
    assert remembered(renamed) == {"www": Memory("www", WEB, digest(TABLE), 0)}


def test_a_service_that_left_the_kernel_has_no_key() -> None:
    assert remembered(state(change(2, present=False)))["web"].key is None
    assert remembered(state(record(2, None)))["web"] == Memory("web", None, digest(), 0)


def test_a_listing_that_cannot_be_read_is_no_memory() -> None:
    odd = TableRecord(service="web", why="start", table={"service": 1}, digest=ZEROS)
    assert remembered(state(entry(1, "table.recorded", "web", odd))) == {}
    drift = TableDrift(service="web", ours=True, differences=(), repaired=True)
    misplaced = entry(1, "table.changed", "web", drift)
    assert remembered(state(misplaced)) == {}


def test_foreign_services_already_told_of_are_known() -> None:
    theirs = TableDrift(service="udp-1-2-3-4-53", ours=False, differences=(), repaired=False)
    ours = TableDrift(service="web", ours=True, differences=(), repaired=True)
    told = state(
        entry(1, "table.drift", "udp-1-2-3-4-53", theirs), entry(2, "table.drift", "web", ours)
    )
    assert reported(told) == {"udp-1-2-3-4-53"}


def test_the_newest_word_of_the_writer_is_found() -> None:
    assert newest_own({}) == 0
    assert newest_own(state(record(4, TABLE), change(9))) == 9

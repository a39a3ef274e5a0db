"""The fold of `table.*`: what the kernel held."""

from typing import Any

import pytest

from libra_schemas.envelope import NEW_CHAIN, Event, Unrecognised
from libra_schemas.events import EventData, TableChange, TableRecord
from libra_schemas.events.writer import OperationResult
from libra_schemas.intent.history import History
from libra_schemas.operations import AddDestination, AddService, DeleteService, Operation, to_json
from libra_schemas.reading import MalformedTable
from libra_schemas.table import (
    Destination,
    Service,
    ServiceKey,
    ServiceTable,
    digest,
    key_to_json,
    table_to_json,
)

WEB = ServiceKey.of("tcp", "192.0.2.10", 80)
W1 = Destination("10.0.1.11", 80, weight=3)
W2 = Destination("10.0.1.12", 80)


def event(what: EventData) -> Event:
    fields: dict[str, Any] = {
        "id": "x",
        "source": "/lvs/a/ipvs-writer",
        "type": "table.changed",
        "subject": "web",
        "time": "2026-01-02T03:04:05Z",
        "dataschema": "x",
        "epoch": 1,
        "chainseq": "1",
        "chainprev": NEW_CHAIN,
    }
    return Event.model_construct(data=what, **fields)


def table(*destinations: Destination) -> ServiceTable:
    return ServiceTable.of(Service(WEB), destinations)


def recorded(held: ServiceTable | None) -> Event:
    return event(
        TableRecord(
            service="web",
            why="start",
            table=table_to_json(held) if held else None,
            digest=digest(held) if held else digest(),
        )
    )


def changed(after: ServiceTable | None, *operations: Operation) -> Event:
    return event(
        TableChange(
            service="web",
            key=key_to_json(WEB),
            operations=tuple(OperationResult(operation=to_json(each)) for each in operations),
            digest=digest(after) if after else digest(),
            present=after is not None,
        )
    )


def history(*events: Event | Unrecognised) -> History:
    folded = History()
    for sequence, each in enumerate(events, 1):
        folded.learn(sequence, each)
    return folded


def test_changes_add_up_to_what_the_kernel_held() -> None:
    folded = history(
        changed(table(), AddService(Service(WEB))),
        changed(table(W1, W2), AddDestination(WEB, W2), AddDestination(WEB, W1)),
    )
    assert folded.tables == {WEB: table(W1, W2)}
    assert folded.unsure == {}
    assert folded.sequence == 2


def test_a_record_replaces_what_was_known() -> None:
    assert history(recorded(table(W1, W2)), recorded(table(W2))).tables == {WEB: table(W2)}


def test_a_deleted_service_is_gone_whether_changed_or_recorded() -> None:
    assert history(recorded(table(W1)), changed(None, DeleteService(WEB))).tables == {}
    gone = history(recorded(table(W1)), recorded(None))
    assert gone.tables == {}
    assert gone.unsure == {}


def test_a_service_that_moves_is_held_at_its_new_address_alone() -> None:
    moved = ServiceKey.of("tcp", "192.0.2.11", 80)
    after = ServiceTable.of(Service(moved), [W1])
    move = TableChange(
        service="web",
        key=key_to_json(moved),
        operations=tuple(
            OperationResult(operation=to_json(each))
            for each in (AddService(Service(moved)), AddDestination(moved, W1), DeleteService(WEB))
        ),
        digest=digest(after),
        present=True,
    )
    folded = history(recorded(table(W1)), event(move))
    assert folded.tables == {moved: after}
    assert folded.unsure == {}


def test_a_change_without_its_past_is_unsure_until_the_next_record() -> None:
    change = changed(table(W1, W2), AddDestination(WEB, W2))
    assert history(change).unsure == {"web": 1}
    assert history(change, recorded(table(W1, W2))).unsure == {}


def test_a_malformed_change_is_said_to_be_one_and_an_unknown_one_is_passed_over() -> None:
    good = changed(table(W1), AddDestination(WEB, W1))
    bad = TableChange(
        service="web",
        key=key_to_json(WEB),
        operations=(OperationResult(operation={"op": "explode", "key": key_to_json(WEB)}),),
        digest="0" * 64,
        present=True,
    )
    with pytest.raises(MalformedTable, match="explode"):
        history(event(bad))
    stranger = Unrecognised.model_construct(**(good.__dict__ | {"data": {"x": 1}}))
    assert history(stranger) == History()

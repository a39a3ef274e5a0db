"""What people read of the kernel's table."""

import pytest

from libra_schemas.events import TableChange, TableDrift, TableRecord, TableRefusal
from libra_schemas.events.writer import OperationResult
from libra_schemas.operations import (
    AddDestination,
    AddService,
    DeleteDestination,
    DeleteService,
    Operation,
    SetDestination,
    SetService,
    to_json,
)
from libra_schemas.sentences.table import MOST, said
from libra_schemas.table import Destination, Service, ServiceKey, ServiceTable, table_to_json

WEB = ServiceKey.of("tcp", "192.0.2.10", 80)
W1 = Destination("10.0.1.11", 80, weight=3)
HASH = "0" * 64


def changed(*results: OperationResult, lag: float | None = None) -> TableChange:
    return TableChange(
        service="web",
        key={},
        operations=results,
        digest=HASH,
        present=True,
        cause_to_kernel_ms=lag,
    )


def accepted(operation: Operation, why: str = "") -> OperationResult:
    return OperationResult(operation=to_json(operation), why=why)


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (AddService(Service(WEB)), "add tcp 192.0.2.10:80"),
        (SetService(Service(WEB)), "set tcp 192.0.2.10:80"),
        (DeleteService(WEB), "delete tcp 192.0.2.10:80"),
        (AddDestination(WEB, W1), "add 10.0.1.11:80 weight 3"),
        (SetDestination(WEB, W1), "set 10.0.1.11:80 weight 3"),
        (DeleteDestination(WEB, "10.0.1.11", 80), "delete 10.0.1.11:80"),
    ],
)
def test_every_operation_is_named(operation: Operation, words: str) -> None:
    assert said(changed(accepted(operation))) == f"the kernel took 1 change of web: {words}"


def test_a_change_says_why_and_how_long_after_its_cause() -> None:
    data = changed(accepted(DeleteService(WEB), "backend.down web/w1"), lag=2.54)
    assert said(data) == (
        "the kernel took 1 change of web, 2.5 ms after the cause: "
        "delete tcp 192.0.2.10:80 (backend.down web/w1)"
    )


def test_a_large_change_names_its_first_operations() -> None:
    words = said(changed(*[accepted(AddDestination(WEB, W1))] * (MOST + 3)))
    assert words.startswith("the kernel took 8 changes of web: ")
    assert words.count("add 10.0.1.11:80") == MOST
    assert words.endswith("; and 3 more")


def test_an_operation_of_a_newer_release_is_named_as_it_names_itself() -> None:
    unknown = OperationResult(operation={"op": "explode"})
    assert said(changed(unknown, OperationResult(operation={}))) == (
        "the kernel took 2 changes of web: explode; an operation"
    )


def test_a_record_says_how_much_the_kernel_holds() -> None:
    held = table_to_json(ServiceTable.of(Service(WEB), [W1]))
    data = TableRecord(service="web", why="periodic", table=held, digest=HASH)
    assert said(data) == "the kernel holds 1 destination of web (periodic)"
    gone = TableRecord(service="web", why="start", digest=HASH)
    assert said(gone) == "the kernel holds nothing of web (start)"


def test_a_drift_says_what_differs_and_what_became_of_it() -> None:
    ours = TableDrift(service="web", ours=True, differences=("w1 is gone",), repaired=True)
    whose = "the kernel's table of web was changed by another hand"
    assert said(ours) == f"{whose}, repaired: w1 is gone"
    foreign = TableDrift(service="web", ours=False, differences=(), repaired=False)
    assert said(foreign) == f"{whose}, left alone"


def test_a_refusal_says_what_was_refused() -> None:
    data = TableRefusal(
        service="web",
        operation=to_json(AddDestination(WEB, W1)),
        errno=17,
        error="EEXIST: File exists",
    )
    expected = "the kernel refused a change of web (add 10.0.1.11:80 weight 3): EEXIST: File exists"
    assert said(data) == expected

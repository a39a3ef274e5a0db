"""What is said of the kernel's table.

Rule: operations of a newer release are named as they name themselves; nothing here raises.
"""

from typing import Any, assert_never

from libra_schemas.errors import LibraError
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
    from_json,
)
from libra_schemas.sentences.words import because, counted, listed

MOST = 5
"""Operations and differences that a sentence names."""


def said(data: TableChange | TableRecord | TableDrift | TableRefusal) -> str:
    """Say what became of the table of one service."""
    match data:
        case TableChange():
            return _change(data)
        case TableRecord():
            return _record(data)
        case TableDrift():
            return _drift(data)
        case TableRefusal():
            return _refusal(data)
        case _:
            assert_never(data)


def _change(data: TableChange) -> str:
    """Say what the kernel took, why, and how long after its cause."""
    count = counted(len(data.operations), "change")
    lag = data.cause_to_kernel_ms
    after = f", {lag:.1f} ms after the cause" if lag is not None else ""
    done = listed([_accepted(each) for each in data.operations], MOST)
    return because(f"the kernel took {count} of {data.service}{after}", done)


def _record(data: TableRecord) -> str:
    """Say what the kernel holds of a service."""
    if data.table is None:
        return f"the kernel holds nothing of {data.service} ({data.why})"
    held = counted(len(data.table.get("destinations", ())), "destination")
    return f"the kernel holds {held} of {data.service} ({data.why})"


def _drift(data: TableDrift) -> str:
    """Say that another hand was in the table."""
    whose = f"the kernel's table of {data.service} was changed by another hand"
    end = "repaired" if data.repaired else "left alone"
    return because(f"{whose}, {end}", listed(data.differences, MOST))


def _refusal(data: TableRefusal) -> str:
    """Say what the kernel refused."""
    what = f"the kernel refused a change of {data.service} ({_operation(data.operation)})"
    return because(what, data.error)


def _accepted(result: OperationResult) -> str:
    return _operation(result.operation) + (f" ({result.why})" if result.why else "")


def _operation(raw: dict[str, Any]) -> str:
    try:
        return _name(from_json(raw))
    except (LibraError, ValueError):
        return str(raw.get("op", "an operation"))


def _name(operation: Operation) -> str:
    match operation:
        case AddService():
            return f"add {operation.key}"
        case SetService():
            return f"set {operation.key}"
        case DeleteService():
            return f"delete {operation.key}"
        case AddDestination():
            return f"add {operation.destination} weight {operation.destination.weight}"
        case SetDestination():
            return f"set {operation.destination} weight {operation.destination.weight}"
        case DeleteDestination():
            return f"delete {operation.address}:{operation.port}"
        case _:
            assert_never(operation)

"""One event in one sentence, for people who read a log."""

from typing import Any, assert_never

from libra_schemas.envelope import Event, Unrecognised
from libra_schemas.errors import LibraError
from libra_schemas.events import (
    AdminState,
    Alarm,
    BackendState,
    Checkpoint,
    ConfigApplied,
    ConfigRejected,
    EventData,
    FreshState,
    InstanceState,
    PeerState,
    Receipt,
    Recovered,
    ServiceState,
    Started,
    Stopped,
    SyncState,
    TableChange,
    TableDrift,
    TableRecord,
    TableRefusal,
)
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


def sentence(event: Event | Unrecognised) -> str:
    """Say what happened and why."""
    if isinstance(event, Unrecognised):
        return f"{event.dataschema} is not known to this release"
    return _say(event.data)


def _say(data: EventData) -> str:  # noqa: C901, PLR0911, PLR0912 - one line per kind of fact
    match data:
        case BackendState():
            return _backend(data)
        case ServiceState():
            return _service(data)
        case InstanceState():
            return _instance(data)
        case Alarm():
            return f"{data.kind} from {data.peer or 'a peer'}, {data.count} times" + _more(
                data.detail
            )
        case SyncState():
            return f"connection sync is {data.role} on {data.interface or 'no interface'}"
        case FreshState():
            return f"{data.coverage:.0%} of the peer's {data.peer} connections are here"
        case TableChange():
            return _change(data)
        case TableRecord():
            held = len((data.table or {}).get("destinations", ()))
            what = f"{held} destinations" if data.table else "no such service"
            return f"the kernel holds {what} ({data.why})"
        case TableDrift():
            return f"the kernel differed: {'; '.join(data.differences)}" + (
                "; repaired" if data.repaired else "; left alone"
            )
        case TableRefusal():
            return f"the kernel refused {_operation(data.operation)}: {data.error}"
        case ConfigApplied():
            return f"revision {data.number} by {data.author}" + _more(data.comment)
        case ConfigRejected():
            first = data.problems[0].message if data.problems else "no reason given"
            return f"revision {data.number} by {data.author} rejected: {first}"
        case AdminState():
            return _admin(data)
        case Receipt():
            done = "delivered" if data.delivered else "given up"
            return f"{data.kind} {done} after {data.attempts} tries" + _more(data.detail)
        case PeerState():
            return ("reachable again" if data.reachable else "lost") + _more(data.detail)
        case Started():
            return f"{data.service} {data.version} started as process {data.pid}"
        case Stopped():
            return f"{data.service} stopped" + _more(data.why)
        case Recovered():
            return _recovered(data)
        case Checkpoint():
            return f"sequences {data.first} to {data.last}, {len(data.heads)} chains"
        case _:
            assert_never(data)


def _backend(data: BackendState) -> str:
    verdict = "held" if data.held else "up" if data.up else "down"
    weight = f", weight {data.weight}" if data.weight is not None else ""
    return f"{data.address}:{data.port} is {verdict}{weight}" + _more(
        "; ".join(
            f"{each.probe} {each.reason}"
            + (f" {each.attempt}/{each.needed}" if each.needed else "")
            + (f" {each.detail}" if each.detail else "")
            for each in data.evidence
        )
    )


def _service(data: ServiceState) -> str:
    verdict = "up" if data.up else "down, the sorry server answers" if data.sorry else "down"
    return (
        f"{verdict}: weight {data.live_weight} of quorum {data.quorum}, "
        f"{data.eligible} of {data.backends} backends" + _more(data.why)
    )


def _instance(data: InstanceState) -> str:
    master = f", master is {data.master}" if data.master and data.state != "master" else ""
    return (
        f"{data.previous or 'new'} -> {data.state} ({data.why}) at priority {data.priority}"
        f"{master}, took {data.took_ms:.1f} ms" + _more(data.detail)
    )


def _change(data: TableChange) -> str:
    done = "; ".join(
        _operation(each.operation) + (f" ({each.why})" if each.why else "")
        for each in data.operations
    )
    lag = data.cause_to_kernel_ms
    return done + (f"; {lag:.1f} ms after its cause" if lag is not None else "")


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


def _admin(data: AdminState) -> str:
    what = data.mode if data.weight is None else f"{data.mode}, weight {data.weight}"
    until = f" until {data.until.isoformat()}" if data.until else ""
    return f"{what}{', failover' if data.failover else ''} by {data.who}{until}" + _more(data.why)


def _recovered(data: Recovered) -> str:
    told = [f"{data.service} recovered ({data.kind}) at sequence {data.last}"]
    if data.sent_again:
        told.append(f"{data.sent_again} sent again")
    if data.coalesced:
        told.append(f"{data.coalesced} coalesced")
    return ", ".join(told)


def _more(text: str) -> str:
    return f": {text}" if text else ""

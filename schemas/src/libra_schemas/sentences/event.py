"""One human sentence per event, the same wherever it is told.

Rule: total. An event of a newer release still gets a sentence.
"""

from typing import assert_never

from libra_schemas.envelope import Event, Unrecognised
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
    MasterHeard,
    PeerState,
    PriorityState,
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
from libra_schemas.sentences import table
from libra_schemas.sentences.backend import backend
from libra_schemas.sentences.instance import instance
from libra_schemas.sentences.words import because, counted
from libra_schemas.subjects import Subject


def sentence(event: Event | Unrecognised, subject: Subject) -> str:
    """Say what happened and why."""
    if isinstance(event, Unrecognised):
        return f"{subject.type} {'/'.join(subject.key)} is not known to this release"
    return said(event.data, subject.type)


def said(data: EventData, event_type: str) -> str:
    """Say what *data* states."""
    match data:
        case BackendState():
            return backend(data, event_type)
        case ServiceState():
            return _service(data)
        case InstanceState() | PriorityState() | MasterHeard():
            return instance(data)
        case AdminState():
            return because(_act(data), data.why)
        case ConfigApplied() | ConfigRejected():
            return _config(data)
        case Started() | Stopped() | Recovered() | PeerState():
            return _life(data)
        case TableChange() | TableRecord() | TableDrift() | TableRefusal():
            return table.said(data)
        case _:
            return _rest(data)


def _rest(data: Alarm | SyncState | FreshState | Receipt | Checkpoint) -> str:
    match data:
        case Alarm():
            return f"virtual router {data.instance}: {_alarm(data)}"
        case SyncState():
            return f"connection sync is {data.role}" + _after("on", data.interface)
        case FreshState():
            return f"{data.coverage:.0%} of the peer's {data.peer} connections are held here"
        case Receipt():
            return _receipt(data)
        case Checkpoint():
            chains = counted(len(data.heads), "chain")
            return f"checkpoint of sequences {data.first} to {data.last}, {chains}"
        case _:
            assert_never(data)


def _service(data: ServiceState) -> str:
    state = "up" if data.up else "down"
    what = f"service {data.service} is {state}: live weight {data.live_weight}"
    pool = f"quorum {data.quorum}, {data.eligible} of {data.backends} backends eligible"
    sorry = ", sorry server in" if data.sorry else ""
    return because(f"{what}, {pool}{sorry}", data.why)


def _alarm(data: Alarm) -> str:
    count = f", {data.count} times" if data.count > 1 else ""
    return because(f"{data.kind}{_after('from', data.peer)}{count}", data.detail)


def _act(data: AdminState) -> str:
    entity = " ".join(data.entity)
    until = f" until {data.until.isoformat(timespec='seconds')}" if data.until else ""
    on = _after("on", data.node)
    if data.failover:
        return f"{data.who} has {entity} handed over{on}, its master held back{until}"
    weight = f", weight {data.weight}" if data.weight is not None else ""
    return f"{data.who} set {entity} to {data.mode}{weight}{on}{until}"


def _config(data: ConfigApplied | ConfigRejected) -> str:
    if isinstance(data, ConfigApplied):
        return because(f"config {data.number} of {data.author} is in force", data.comment)
    problems = "; ".join(
        f"{problem.path}: {problem.message}" if problem.path else problem.message
        for problem in data.problems
    )
    which = f"config {data.number}" if data.number else "a config"
    return because(f"{which} of {data.author} is rejected", problems)


def _life(data: Started | Stopped | Recovered | PeerState) -> str:
    match data:
        case Started():
            return f"{data.service} {data.version} started (process {data.pid})"
        case Stopped():
            return because(f"{data.service} stopped", data.why)
        case Recovered():
            again = f", {counted(data.sent_again, 'event')} sent again" if data.sent_again else ""
            lost = f", {counted(data.coalesced, 'event')} coalesced" if data.coalesced else ""
            return f"{data.service} recovered ({data.kind}){again}{lost}"
        case PeerState():
            state = "is back" if data.reachable else "is lost"
            return because(f"peer {data.node} {state}", data.detail)
        case _:
            assert_never(data)


def _receipt(data: Receipt) -> str:
    was = f"was {'' if data.delivered else 'not '}told{_after('of', data.about)}"
    was += "" if data.delivered else ", given up"
    tries = counted(data.attempts, "attempt")
    return because(f"{data.sink} {was} by {data.kind} in {tries}", data.detail)


def _after(word: str, what: object) -> str:
    return f" {word} {what}" if what else ""

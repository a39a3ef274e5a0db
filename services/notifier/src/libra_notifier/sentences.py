"""One human sentence per kind of event.

Rule: who, what, why, in that order: `backend w1 of web is down: connection refused (3 of 3)`.
"""

import re

from libra_schemas.events import (
    AdminState,
    Alarm,
    BackendState,
    Checkpoint,
    ConfigApplied,
    ConfigRejected,
    EventData,
    Evidence,
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
from libra_schemas.subjects import Subject

_REASONS = {
    "refused": "connection refused",
    "timeout": "no answer in time",
    "unreachable": "host unreachable",
    "reset": "connection reset",
    "closed": "connection closed early",
    "status": "unexpected status",
    "content": "unexpected content",
    "malformed": "answer not understood",
    "oversized": "answer too large",
    "passed": "check passed",
}

_PASSED = "passed"

_TOLD_BY_DETAIL = frozenset({"timeout", "status", "closed", _PASSED})
"""Where the detail is the better half of the sentence: `status 503, wanted 200-299`."""

_ERRNO = re.compile(r"^E[A-Z0-9]+\Z")
"""`ECONNREFUSED` says no more than `connection refused` does."""

_WHY = {
    "timer": "the master fell silent",
    "priority-zero": "the master handed over",
    "tether": "the master's process died",
    "higher-priority": "a higher priority is heard",
    "track": "a tracked object changed",
    "interface": "its interface changed",
    "lease": "its lease ran out",
    "operator": "an operator asked for it",
    "config": "the config changed",
    "owner": "it owns the addresses",
}


def sentence(data: EventData, subject: Subject) -> str:
    """Say what *data* states; the subject gives what the data does not repeat."""
    match data:
        case BackendState():
            return _backend(data, subject.type)
        case ServiceState():
            return _service(data)
        case InstanceState():
            return _instance(data)
        case Alarm():
            return _joined(f"virtual router {data.instance}: {_alarm(data)}", data.detail)
        case AdminState():
            return _joined(f"{data.who} set {' '.join(data.entity)} to {_mode(data)}", data.why)
        case ConfigApplied() | ConfigRejected():
            return _config(data)
        case Started() | Stopped() | Recovered() | PeerState():
            return _life(data)
        case _:
            return _rest(data, subject)


def reason(evidence: Evidence) -> str:
    """Say why a probe's verdict fell: what was seen and the count that decided."""
    label = _REASONS.get(evidence.reason, evidence.reason)
    if not evidence.detail or _ERRNO.match(evidence.detail):
        words = label
    elif evidence.reason in _TOLD_BY_DETAIL:
        words = evidence.detail
    else:
        words = _joined(label, evidence.detail)
    return f"{words} ({evidence.attempt} of {evidence.needed})" if evidence.needed else words


def _reasons(data: BackendState) -> str:
    """Say why a verdict fell; one that is down is explained by the checks that failed."""
    failed = [] if data.up else [each for each in data.evidence if each.reason != _PASSED]
    telling = failed or list(data.evidence)
    if len(telling) == 1:
        return reason(telling[0])
    return "; ".join(_joined(each.probe, reason(each)) for each in telling)


def _backend(data: BackendState, event_type: str) -> str:
    name = f"backend {data.backend} of {data.service}"
    why = _reasons(data)
    if event_type == "backend.weight" and data.weight is not None:
        return _joined(f"{name} has weight {data.weight}", why)
    if data.held:
        return _joined(f"{name} is kept although its checks fail", why)
    return _joined(f"{name} is {_up(up=data.up)}", why)


def _service(data: ServiceState) -> str:
    what = f"service {data.service} is {_up(up=data.up)}: live weight {data.live_weight}"
    pool = f"quorum {data.quorum}, {data.eligible} of {data.backends} backends eligible"
    sorry = ", sorry server in" if data.sorry else ""
    return _joined(f"{what}, {pool}{sorry}", data.why)


def _instance(data: InstanceState) -> str:
    what = f"virtual router {data.instance} on {data.interface} is {data.state}"
    former = f" (was {data.previous})" if data.previous else ""
    return _joined(what + former + _colon(_WHY.get(data.why, data.why)), data.detail)


def _alarm(data: Alarm) -> str:
    peer = f" from {data.peer}" if data.peer else ""
    count = f", {data.count} times" if data.count > 1 else ""
    return f"{data.kind}{peer}{count}"


def _mode(data: AdminState) -> str:
    weight = f", weight {data.weight}" if data.weight is not None else ""
    failover = ", failover" if data.failover else ""
    until = f" until {data.until.isoformat(timespec='seconds')}" if data.until else ""
    where = f" on {data.node}" if data.node else ""
    return f"{data.mode}{weight}{failover}{where}{until}"


def _config(data: ConfigApplied | ConfigRejected) -> str:
    if isinstance(data, ConfigApplied):
        return _joined(f"config {data.number} of {data.author} is in force", data.comment)
    problems = "; ".join(str(problem.message) for problem in data.problems)
    return _joined(f"config {data.number} of {data.author} is rejected", problems)


def _life(data: Started | Stopped | Recovered | PeerState) -> str:
    match data:
        case Started():
            return f"{data.service} {data.version} started (process {data.pid})"
        case Stopped():
            return _joined(f"{data.service} stopped", data.why)
        case Recovered():
            lost = f", {data.coalesced} events coalesced" if data.coalesced else ""
            return f"{data.service} recovered ({data.kind}){lost}"
    state = "is back" if data.reachable else "is lost"
    return _joined(f"peer {data.node} {state}", data.detail)


def _rest(
    data: SyncState
    | FreshState
    | TableChange
    | TableRecord
    | TableDrift
    | TableRefusal
    | Receipt
    | Checkpoint,
    subject: Subject,
) -> str:
    match data:
        case SyncState():
            return _joined(f"connection sync is {data.role}", data.interface)
        case FreshState():
            return f"{data.coverage:.0%} of the peer's connections are held here"
        case TableChange():
            count = len(data.operations)
            return f"the kernel took {count} change{'s' * (count != 1)} of {data.service}"
        case TableRecord():
            return f"the kernel's table of {data.service} is recorded ({data.why})"
        case TableDrift():
            return _drift(data)
        case TableRefusal():
            return f"the kernel refused a change of {data.service}: {data.error} ({data.errno})"
    return f"{subject.type} {'/'.join(subject.key)}"


def _drift(data: TableDrift) -> str:
    whose = f"the kernel's table of {data.service} was changed by another hand"
    end = "repaired" if data.repaired else "left alone"
    return _joined(f"{whose}, {end}", "; ".join(data.differences))


def _up(*, up: bool) -> str:
    return "up" if up else "down"


def _colon(words: str) -> str:
    return f": {words}" if words else ""


def _joined(what: str, why: str) -> str:
    return what + _colon(why)

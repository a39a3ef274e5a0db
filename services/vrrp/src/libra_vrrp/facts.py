"""What the machine reports, as the events that LibrA publishes.

One rule: a report becomes at most one event; statuses and statistics become none.
"""

from datetime import UTC, datetime
from logging import ERROR, INFO, WARNING
from typing import Final, Literal, TypeAlias, assert_never

from libra_schemas.events import Alarm, InstanceState, MasterHeard, PriorityState
from libra_schemas.events.vrrp import MAX_MOVED, Takeover
from libra_schemas.text import one_line
from libra_vrrp.reports import AlarmRaised, Follows, Report, Transition, Weighed
from libra_vrrp.why import Why

EventWhy: TypeAlias = Literal[
    "start",
    "adopted",
    "recovered",
    "preempt",
    "timer",
    "priority-zero",
    "tether",
    "higher-priority",
    "track",
    "interface",
    "lease",
    "operator",
    "group",
    "stop",
    "owner",
]

WORDS: Final[dict[str, tuple[EventWhy, str]]] = {
    Why.STARTED: ("start", ""),
    Why.OWNER: ("owner", ""),
    Why.ADOPTED: ("adopted", ""),
    Why.TIMER: ("timer", ""),
    Why.PRIORITY_ZERO: ("priority-zero", ""),
    Why.TETHER: ("tether", ""),
    Why.UNCLAIMED: ("timer", "nobody took over what an operator wanted to be handed over"),
    Why.LOWER_PRIORITY_HEARD: ("preempt", ""),
    Why.SYNCED: ("preempt", ""),
    Why.OVERDUE: ("preempt", ""),
    Why.HOLD_OVER: ("preempt", "the time that an operator had it held back is over"),
    Why.HIGHER_PRIORITY: ("higher-priority", "the new master's outranks ours"),
    Why.FAULT: ("interface", ""),
    Why.TRACKED: ("track", ""),
    Why.RECOVERED: ("recovered", ""),
    Why.LEASE: ("lease", "the addresses were not renewed in time"),
    Why.OPERATOR: ("operator", ""),
    Why.GROUP: ("group", ""),
    Why.SHUTDOWN: ("stop", ""),
}

AlarmKind: TypeAlias = Literal[
    "checksum",
    "auth",
    "replay",
    "two-masters",
    "duplicate-owner",
    "own-address",
    "malformed",
    "seal",
    "route",
]
_ALARM: Final[dict[str, AlarmKind]] = {
    "checksum": "checksum",
    "auth": "auth",
    "replay": "replay",
    "seal": "seal",
    "route": "route",
    "malformed": "malformed",
    "two-masters": "two-masters",
    "duplicate-owner": "duplicate-owner",
    "own-address": "own-address",
}

_LONGEST: Final = 1000

Said: TypeAlias = InstanceState | Alarm | PriorityState | MasterHeard
Fact: TypeAlias = tuple[str, Said]


def fact_of(report: Report, takeover: Takeover | None = None) -> Fact | None:
    """Return the type and data of the event that a report becomes.

    `takeover` is the last one of its virtual router. Raise `ValueError` where the report says
    something that no event can.
    """
    match report:
        case Transition() if not report.repeated:
            return f"vrrp.{report.state}", _state(report, takeover)
        case AlarmRaised():
            return "vrrp.alarm", _alarm(report)
        case Weighed():
            return "vrrp.priority", _priority(report)
        case Follows():
            said = {"instance": report.instance, "master": report.master}
            return "vrrp.follows", MasterHeard.model_validate(said)
        case _:
            return None


def level_of(said: Said) -> int:
    """Return how much a fact weighs in a log: trouble is a warning, two owners are an error."""
    match said:
        case Alarm(kind="two-masters" | "duplicate-owner"):
            return ERROR
        case Alarm() | InstanceState(state="fault"):
            return WARNING
        case InstanceState() | PriorityState() | MasterHeard():
            return INFO
        case _:
            assert_never(said)


def takeover_of(report: Transition) -> Takeover | None:
    """Return the last takeover that a report tells of, if any.

    Raise `ValueError` and `KeyError` as `fact_of` does.
    """
    if report.taken is None:
        return None
    at, took, why = report.taken
    return Takeover(
        time=datetime.fromtimestamp(at, UTC), took_ms=_milliseconds(took), why=WORDS[why][0]
    )


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _state(report: Transition, takeover: Takeover | None) -> InstanceState:
    why, said = WORDS[report.why]
    return InstanceState.model_validate(
        {
            "instance": report.instance,
            "state": report.state,
            "previous": report.previous,
            "why": why,
            "detail": one_line("; ".join(text for text in (said, report.detail) if text), _LONGEST),
            "family": f"ipv{report.family}",
            "vrid": report.vrid,
            "interface": report.interface,
            "priority": report.priority,
            "interval_ms": report.interval * 1000,
            "addresses": report.addresses,
            "master": report.master if report.state == "backup" else None,
            "took_ms": _milliseconds(report.took),
            "takeover": takeover,
            "coverage": report.coverage,
        }
    )


def _priority(report: Weighed) -> PriorityState:
    moved = [
        {"object": source, "delta": delta, "why": why}
        for source, delta, why in report.moved[:MAX_MOVED]
    ]
    return PriorityState.model_validate(
        {
            "instance": report.instance,
            "priority": report.priority,
            "configured": report.configured,
            "moved": moved,
        }
    )


def _alarm(report: AlarmRaised) -> Alarm:
    return Alarm.model_validate(
        {
            "instance": report.instance,
            "kind": _ALARM[report.kind],
            "peer": report.peer,
            "detail": report.detail,
            "count": report.count,
        }
    )

"""What the machine tells the reporter <-> JSON.

One rule: any line is a report, or raises `MalformedReport`.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias, assert_never

from libra_vrrp.orders import Instance
from libra_vrrp.states import (
    Backup,
    Enter,
    Fault,
    Initialize,
    Master,
    Starting,
    State,
    Stopped,
)
from libra_vrrp.why import Why


class MalformedReport(ValueError):
    """The machine says something that makes no sense to this reporter."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A router entered a state; `at` is unix time, `took` seconds, `repeated` for a status.

    `took` runs from the last sign of the old master (or the cause) to the addresses in place.
    `taken` has `at`, `took` and `why` of its last takeover since the machine's start, `coverage`
    the share of the peer's connections that was here, where that is known.
    """

    instance: str
    state: str
    previous: str | None
    why: str
    detail: str
    vrid: int
    interface: str
    priority: int
    interval: float
    addresses: tuple[str, ...]
    master: str | None
    took: float
    at: float
    repeated: bool = False
    family: int = 4
    taken: tuple[float, float, str] | None = None
    coverage: float | None = None


@dataclass(frozen=True, slots=True)
class AlarmRaised:
    """A peer misbehaves; `count` times since the last report of this cause."""

    instance: str
    kind: str
    peer: str | None
    detail: str
    count: int
    at: float


@dataclass(frozen=True, slots=True)
class Weighed:
    """The priority of an instance changed: `moved` has each object that counts, its delta, why."""

    instance: str
    priority: int
    configured: int
    moved: tuple[tuple[str, int, str], ...]
    at: float


@dataclass(frozen=True, slots=True)
class Follows:
    """A backup knows who is master, or that another one is."""

    instance: str
    master: str
    at: float


@dataclass(frozen=True, slots=True)
class Statistics:
    """Totals since the machine's start, by name; `lateness` in seconds is of the worst advert.

    `late` has how many adverts fell into each bucket of `lateness.BOUNDS`.
    """

    counters: dict[str, int]
    lateness: float
    at: float
    late: tuple[int, ...] = ()
    lateness_sum: float = 0.0


@dataclass(frozen=True, slots=True)
class Awake:
    """The machine (re)started: tell it every tracked value again."""


@dataclass(frozen=True, slots=True)
class Farewell:
    """The machine has ended for good; the parent says it, and nothing follows."""


@dataclass(frozen=True, slots=True)
class Reread:
    """Somebody asks for the config to be looked at again; the parent says it."""


_Told: TypeAlias = Transition | AlarmRaised | Weighed | Follows | Statistics
Report: TypeAlias = _Told | Awake | Farewell | Reread
_KINDS: dict[str, type[Report]] = {
    "transition": Transition,
    "alarm": AlarmRaised,
    "weighed": Weighed,
    "follows": Follows,
    "statistics": Statistics,
    "awake": Awake,
    "farewell": Farewell,
    "reread": Reread,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


@dataclass(frozen=True, slots=True)
class Numbered:
    """A report of the machine `boot`, counted from 1; 0 is for what need not be acknowledged."""

    boot: str
    number: int
    report: Report


def dumps(numbered: Numbered) -> bytes:
    """Return a report as one line of JSON."""
    kind = _NAMES[type(numbered.report)]
    head = {"boot": numbered.boot, "number": numbered.number, "report": kind}
    return json.dumps(head | {"data": asdict(numbered.report)}).encode()


def loads(line: bytes) -> Numbered:
    """Read one report; raise `MalformedReport`."""
    try:
        fields: dict[str, Any] = json.loads(line)
        data = fields["data"]
        if "addresses" in data:
            data = data | {"addresses": tuple(data["addresses"])}
        if data.get("taken") is not None:
            at, took, why = data["taken"]
            data = data | {"taken": (float(at), float(took), str(why))}
        if "late" in data:
            data = data | {"late": tuple(map(int, data["late"]))}
        if "moved" in data:
            data = data | {"moved": tuple((str(a), int(b), str(c)) for a, b, c in data["moved"])}
        report = _KINDS[fields["report"]](**data)
        return Numbered(str(fields["boot"]), int(fields["number"]), report)
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise MalformedReport(f"{wrong!r} in {line[:200]!r}") from wrong


def word(state: State) -> str | None:
    """Return the state's name in events; None for those in which a router does not take part."""
    match state:
        case Master():
            return "master"
        case Backup():
            return "backup"
        case Fault():
            return "fault"
        case Stopped():
            return "stopped"
        case Initialize() | Starting():
            return None
        case _:
            assert_never(state)


def transition(
    order: Instance, priority: int, entered: Enter, previous: str | None, now: float, wall: float
) -> Transition:
    """Describe a state that was entered; `now` is monotonic, `wall` is unix time."""
    state, peer = entered.state, entered.peer
    since = state.since if isinstance(state, Master | Backup | Fault) else now
    return Transition(
        instance=order.name,
        state=word(state) or "stopped",
        previous=previous,
        why=entered.why.value,
        detail=_detail(entered),
        vrid=order.vrid,
        interface=order.interface,
        priority=priority,
        interval=order.interval,
        addresses=tuple(str(place.address) for place in order.held),
        master=None if peer is None else str(peer),
        took=now - since + (entered.silent or 0.0),
        at=wall,
        family=order.family,
        coverage=entered.coverage,
    )


def _detail(entered: Enter) -> str:
    """Say what keeps a router in fault, or which member of its group it followed."""
    match entered:
        case Enter(state=Fault(reasons=reasons, blocked_by=members)):
            return "; ".join([*sorted(reasons), *(f"{one} is in fault" for one in sorted(members))])
        case Enter(why=Why.GROUP, member=member):
            return f"{member} is master no more"
        case Enter(why=Why.SYNCED, coverage=float(share)):
            return f"{share:.1%} of the peer's connections are here"
        case Enter(why=Why.OVERDUE, coverage=share):
            known = "how many is not known" if share is None else f"{share:.1%} are"
            return f"its time to wait until the peer's connections are here is over: {known}"
        case _:
            return ""

"""What a virtual router is, hears and does: states, inputs and effects as values.

RFC 9568 section 6.3. One rule: a state holds only what is true in it. Times are seconds of the
monotonic clock.
"""

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from libra_vrrp.codec import Advertisement
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.why import Why


@dataclass(frozen=True, slots=True)
class Initialize:
    """Not started (section 6.4.1)."""


@dataclass(frozen=True, slots=True)
class Starting:
    """Waiting for the start-up delay to pass; adverts are not listened to."""

    until: float


@dataclass(frozen=True, slots=True)
class Backup:
    """Watching a master (section 6.4.2).

    `interval` is learned from the master; `due` says why `down_at` would make us master;
    `courted_since` is when a master we outrank was first heard; `held_until` is the operator's,
    `beaten_until` the group's; `coverage` is the last `Covered`'s.
    """

    down_at: float
    interval: float
    since: float
    due: Why = Why.TIMER
    master: IpAddress | None = None
    heard_at: float | None = None
    courted_since: float | None = None
    held_until: float | None = None
    beaten_until: float | None = None
    coverage: float | None = None


@dataclass(frozen=True, slots=True)
class Master:
    """Answering for the virtual addresses (section 6.4.3, there "Active")."""

    advert_at: float
    since: float


@dataclass(frozen=True, slots=True)
class Fault:
    """Unable to be a router for `reasons` of its own, or for the members of its group in fault.

    A start-up delay may still run until `until`.
    """

    reasons: frozenset[str]
    until: float
    since: float
    blocked_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Stopped:
    """Shut down for good."""


State: TypeAlias = Initialize | Starting | Backup | Master | Fault | Stopped


@dataclass(frozen=True, slots=True)
class Start:
    """Begin; `faults` are the reasons already known, `blocked_by` as in `Blocked`."""

    faults: frozenset[str] = frozenset()
    blocked_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Adopt:
    """Begin as the master that our predecessor was a moment ago, its addresses still in place."""


@dataclass(frozen=True, slots=True)
class Elapsed:
    """The deadline has come; every datagram received before has been handed in first."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An advertisement for our vrid came in from another router."""

    advertisement: Advertisement
    source: IpAddress


@dataclass(frozen=True, slots=True)
class PriorityChanged:
    """Tracking changed the router's effective priority, which was `was`."""

    was: int


@dataclass(frozen=True, slots=True)
class Reconfigured:
    """The router's other parameters changed without a change of identity."""


@dataclass(frozen=True, slots=True)
class Fail:
    """The router lost something it needs, such as its interface."""

    reason: str


@dataclass(frozen=True, slots=True)
class Recover:
    """The reason given to `Fail` is gone."""

    reason: str


@dataclass(frozen=True, slots=True)
class Yield:
    """The operator wants another router to be master; hold back for `hold` seconds."""

    hold: float


@dataclass(frozen=True, slots=True)
class Released:
    """The operator holds us back no more."""


@dataclass(frozen=True, slots=True)
class Covered:
    """The share of the peer's connections that is here, 0 to 1; None where nobody says."""

    coverage: float | None


@dataclass(frozen=True, slots=True)
class Orphaned:
    """The master's process died; `rank` of those that live outrank us, and come first."""

    rank: int


@dataclass(frozen=True, slots=True)
class LeaseLost:
    """The lease on the addresses may have run out: we must not act as master any more.

    `hold` is for how long, in seconds, a lower master is then left alone.
    """

    hold: float = 0.0


@dataclass(frozen=True, slots=True)
class Relinquish:
    """`member` of our group is master no more; `silent` where not even priority 0 may be said."""

    member: str
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Blocked:
    """The members of our group, ourselves apart, that are in fault now; none: we are free."""

    by: frozenset[str]


@dataclass(frozen=True, slots=True)
class Stop:
    """Shut down in order."""


_Told: TypeAlias = PriorityChanged | Reconfigured | Fail | Recover | Yield | Released | Covered
_Ends: TypeAlias = Orphaned | LeaseLost | Relinquish | Blocked | Stop
Input: TypeAlias = Start | Adopt | Elapsed | Heard | _Told | _Ends


@dataclass(frozen=True, slots=True)
class Advertise:
    """Send an advertisement with this priority."""

    priority: int


@dataclass(frozen=True, slots=True)
class TakeAddresses:
    """Put the virtual addresses on their interfaces and keep their lease."""


@dataclass(frozen=True, slots=True)
class DropAddresses:
    """Remove the virtual addresses and stop announcing them."""


@dataclass(frozen=True, slots=True)
class Announce:
    """Tell the neighbours whose the addresses are, as soon as they are in place."""


@dataclass(frozen=True, slots=True)
class Enter:
    """The state changed to `state` for `why`.

    `peer` is the router that caused it, `member` the one of our group; `silent` is how long, in
    seconds, the last master had not been heard when we took over, `coverage` as in `Covered`.
    """

    state: State
    why: Why
    peer: IpAddress | None = None
    silent: float | None = None
    member: str = ""
    coverage: float | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """A peer misbehaves: `kind` is counted, `source` is the peer."""

    kind: str
    source: IpAddress
    detail: str


Effect: TypeAlias = Advertise | TakeAddresses | DropAddresses | Announce | Enter | Alarm


def deadline(state: State) -> float | None:
    """Return when `Elapsed` is due, on the monotonic clock; None if time changes nothing."""
    match state:
        case Starting(until=at) | Backup(down_at=at) | Master(advert_at=at):
            return at
        case Initialize() | Fault() | Stopped():
            return None
        case _:
            assert_never(state)

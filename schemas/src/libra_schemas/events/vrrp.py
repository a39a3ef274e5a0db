"""What vrrp says: the state of each instance, and peers that misbehave."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from libra_schemas.events.common import Data, EvidenceText
from libra_schemas.model import Address, Fact, Name

State = Literal["master", "backup", "fault", "stopped"]

Why = Literal[
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


MAX_MOVED = 100


class Takeover(Fact):
    """When a virtual router took over from another or from nobody, how fast, and why."""

    time: AwareDatetime
    took_ms: Annotated[float, Field(ge=0)]
    why: Why


class InstanceState(Data):
    """A virtual router entered a state.

    Where an instance has both address families the router of IPv6 is called INSTANCE-ipv6.
    *took_ms* runs from the moment the cause was known (for `timer`: the last advert heard) to the
    state entered with its addresses; *master* is the primary address of the master it follows.
    *takeover* is its last one since this vrrp started, this one where it is one. Of one that became
    master *coverage* is the share of the peer's connections that it had by then, as `conn.fresh`
    says; None where nobody says.
    """

    instance: Name
    state: State
    previous: State | None = None
    why: Why
    detail: EvidenceText = ""
    family: Literal["ipv4", "ipv6"] = "ipv4"
    vrid: Annotated[int, Field(ge=1, le=255)]
    interface: str
    priority: Annotated[int, Field(ge=0, le=255)]
    interval_ms: Annotated[float, Field(gt=0)]
    addresses: tuple[str, ...] = ()
    master: Address | None = None
    took_ms: Annotated[float, Field(ge=0)] = 0.0
    takeover: Takeover | None = None
    coverage: Annotated[float, Field(ge=0, le=1)] | None = None


class MovedBy(Fact):
    """A tracked object that counts: *object* is `program.gw`, *delta* what it adds."""

    object: str
    delta: int
    why: EvidenceText = ""


class PriorityState(Data):
    """The effective priority of a virtual router changed; *moved* says by what, 100 at most."""

    instance: Name
    priority: Annotated[int, Field(ge=1, le=255)]
    configured: Annotated[int, Field(ge=1, le=255)]
    moved: Annotated[tuple[MovedBy, ...], Field(max_length=MAX_MOVED)] = ()


class MasterHeard(Data):
    """Whom a virtual router follows since it entered its state as backup, or since another one.

    Told where `vrrp.backup` did not say it; at most once in two seconds.
    """

    instance: Name
    master: Address


class Alarm(Data):
    """A peer of an instance misbehaves, or there is trouble of our own: `seal`, `route`.

    `route`: the kernel refuses a virtual route or rule; the addresses stay.

    *count* is since the last alarm of this cause: kind, reason and peer.
    """

    instance: Name
    kind: Literal[
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
    peer: Address | None = None
    detail: EvidenceText = ""
    count: Annotated[int, Field(ge=1)] = 1

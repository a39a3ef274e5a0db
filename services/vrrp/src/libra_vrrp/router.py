"""What a virtual router is told to be: its parameters and the timers that follow from them.

RFC 9568 section 6.1. One rule: nothing here changes by itself; a new value replaces the old one.
Times are seconds.
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from libra_vrrp.codec import (
    GROUP,
    IPV4,
    OWNER,
    PASSWORD,
    SECOND,
    V2,
    V3,
    Advertisement,
    Checksum,
    Datagram,
    encode,
    require_interval,
)
from libra_vrrp.rtnetlink import IpAddress

STOPPING: Final = 0
"""Priority of a master that gives up (section 5.2.4)."""


@dataclass(frozen=True, slots=True)
class Never:
    """Leave a working master alone, whatever its priority (`preempt: false`)."""


@dataclass(frozen=True, slots=True)
class Always:
    """Take over from a lower priority at once (`preempt: true`, the RFC's default)."""


@dataclass(frozen=True, slots=True)
class After:
    """Take over from a lower priority once it was heard for `delay` seconds."""

    delay: float


FRESH: Final = 0.9
"""Share of the peer's connections from which on we count as synced (design §6)."""


@dataclass(frozen=True, slots=True)
class WhenSynced:
    """Take over once our copy of the peer's connections is good, at the latest after `deadline`.

    A service that follows an unclean exit has worked for `unclean` seconds before.
    """

    deadline: float
    unclean: float = 30.0


Preempt: TypeAlias = Never | Always | After | WhenSynced


@dataclass(frozen=True, slots=True)
class Router:
    """One virtual router on one interface; `priority` is the effective one, interval in seconds.

    `address` is the primary address of the interface: the source of our advertisements and the
    judge of ties. `down_after` is how many intervals of silence mean the master is gone. Version 2
    has whole seconds and may have a password; `peers` are whom we speak to, None for the group.
    A `joint` one moves with others (`libra_vrrp.group`). `unclean_at` is when the service began
    that follows an unclean exit, on the monotonic clock.
    """

    vrid: int
    priority: int
    address: IpAddress
    addresses: tuple[IpAddress, ...]
    interval: float = 1.0
    preempt: Preempt = Always()
    startup_delay: float = 0.0
    down_after: int = 3
    checksum: Checksum = Checksum.PSEUDO_HEADER
    version: int = V3
    authentication: bytes | None = field(default=None, repr=False)
    peers: tuple[IpAddress, ...] | None = None
    joint: bool = False
    unclean_at: float = float("-inf")

    def __post_init__(self) -> None:
        """Raise `ValueError` for a router that no advertisement could describe."""
        if not 1 <= self.priority <= OWNER:
            raise ValueError(f"priority {self.priority} is not within 1-255")
        require_interval(self.version, centiseconds(self.interval))
        if self.version == V2 and self.address.version != IPV4:
            raise ValueError("version 2 is for IPv4 alone")
        secret = self.authentication
        if secret is not None and not (self.version == V2 and 1 <= len(secret) <= PASSWORD):
            raise ValueError("only version 2 has a password, of 1 to 8 octets")

    @property
    def owns_addresses(self) -> bool:
        """Priority 255: the virtual address is our own (section 6.1)."""
        return self.priority == OWNER


def centiseconds(seconds: float) -> int:
    """Return an interval as the wire counts it."""
    return round(seconds * SECOND)


def advertisement(router: Router, priority: int | None = None) -> Advertisement:
    """Return what `router` says: with its own priority, or with `STOPPING`."""
    said = router.priority if priority is None else priority
    interval = centiseconds(router.interval)
    return Advertisement(router.vrid, said, interval, router.addresses, router.version)


def datagrams(router: Router, priority: int) -> tuple[Datagram, ...]:
    """Return what goes out: one to the group, or one to each peer, whom its checksum covers."""
    said, ours = advertisement(router, priority), router.address
    return tuple(
        Datagram(ours, to, encode(said, ours, to, router.checksum, router.authentication))
        for to in ((GROUP[ours.version],) if router.peers is None else router.peers)
    )


def challenges(router: Router) -> tuple[Datagram, ...]:
    """Return datagrams without a message to whom adverts go: a seal makes them challenges."""
    ours = router.address
    to = (GROUP[ours.version],) if router.peers is None else router.peers
    return tuple(Datagram(ours, each, b"") for each in to)


def skew(router: Router, interval: float) -> float:
    """Return Skew_Time: the lower the priority, the longer the wait (section 6.1).

    In version 2 it is a part of a second, whatever the interval (RFC 3768 section 6.1).
    """
    unit = 1.0 if router.version == V2 else interval
    return (256 - router.priority) * unit / 256


def patience(router: Router, interval: float) -> float:
    """Return Active_Down_Interval for a master that advertises every `interval` (section 6.1)."""
    return router.down_after * interval + skew(router, interval)


def effective(base: int, deltas: tuple[int, ...]) -> int:
    """Return the priority after tracking: within 1-254, and an owner stays one (section 5.2.4)."""
    if base == OWNER:
        return OWNER
    return min(max(base + sum(deltas), 1), OWNER - 1)

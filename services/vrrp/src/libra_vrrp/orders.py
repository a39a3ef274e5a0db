"""What the reporter tells the machine <-> JSON lines.

One rule: what cannot be read raises `MalformedOrder`, and the machine goes on as it was.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, assert_never

from libra_vrrp.announce import Garp
from libra_vrrp.codec import Checksum
from libra_vrrp.contribution import Contribution, Moved
from libra_vrrp.lease import Terms
from libra_vrrp.router import Always, Preempt
from libra_vrrp.routing import Route, Rule
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.settle import AT_ONCE, Delays
from libra_vrrp.tether.ends import Ends
from libra_vrrp.vmac import Vmac


class MalformedOrder(ValueError):
    """The reporter, or the file that it left, says something that makes no sense."""


@dataclass(frozen=True, slots=True)
class Place:
    """A virtual address and the interface where it lives.

    With a `prefix` it brings the network that it is connected to along.
    """

    interface: str
    address: IpAddress
    prefix: int | None = None

    @property
    def length(self) -> int:
        """Return the prefix length with which the kernel is to hold it."""
        return self.address.max_prefixlen if self.prefix is None else self.prefix


@dataclass(frozen=True, slots=True)
class Multicast:
    """The group of a family, on an interface."""

    interface: str
    family: int


@dataclass(frozen=True, slots=True)
class Unicast:
    """Our address that the peers speak to."""

    source: IpAddress

    @property
    def family(self) -> int:
        """Return the IP version of both ends (4 or 6)."""
        return self.source.version


Channel: TypeAlias = Multicast | Unicast
"""How a router speaks and is spoken to: whoever has the same shares one socket."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Adverts are sealed with the keys in `key_file`; plain ones count too unless required."""

    key_file: str
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class TrackedLink:
    """Another interface that moves the priority; without a weight it is a fault while down."""

    name: str
    weight: int | None = None
    delays: Delays = AT_ONCE


@dataclass(frozen=True, slots=True)
class Instance:
    """One virtual router of this node; `priority` is the configured one, times are seconds.

    `authentication` is the password of version 2, None for none. `peers` are whom advertisements
    go to, None for the multicast group; `source` is then our own address that the peers know.
    """

    name: str
    interface: str
    vrid: int
    priority: int
    places: tuple[Place, ...]
    interval: float = 1.0
    preempt: Preempt = field(default_factory=Always)
    start_delay: float = 0.0
    terms: Terms = field(default_factory=Terms)
    garp: Garp = field(default_factory=Garp)
    checksum: Checksum = Checksum.PSEUDO_HEADER
    tracked: tuple[TrackedLink, ...] = ()
    version: int = 3
    authentication: bytes | None = field(default=None, repr=False)
    peers: tuple[IpAddress, ...] | None = None
    source: IpAddress | None = None
    group: str = ""
    """Routers of this node with one group move together; "" is none. Any other text will do."""
    excluded: tuple[Place, ...] = ()
    """Addresses that are held as `places` are, but not advertised; of any family."""
    seal: Seal | None = None
    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()
    tether: Ends | None = None
    vmac: Vmac | None = None

    @property
    def family(self) -> int:
        """Return the IP version that it is a router of (4 or 6): that of its addresses."""
        return self.places[0].address.version

    @property
    def channel(self) -> Channel:
        """Return how it is spoken to."""
        if self.source is not None:
            return Unicast(self.source)
        return Multicast(self.interface, self.family)

    @property
    def held(self) -> tuple[Place, ...]:
        """Return every address that a master holds."""
        return self.places + self.excluded


@dataclass(frozen=True, slots=True)
class Routers:
    """Read the kept list of routers again: it changed."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """All that moves the priority of an instance or puts it in fault.

    Of what is `held` nothing is known yet: the last value holds.
    """

    instance: str
    moved: tuple[Moved, ...]
    held: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """The share of the peer's connections that is here, 0 to 1; None where nobody says."""

    share: float | None


@dataclass(frozen=True, slots=True)
class Failover:
    """Give up mastership and hold back for `hold` seconds."""

    instance: str
    hold: float


@dataclass(frozen=True, slots=True)
class Release:
    """Hold back no more."""

    instance: str


@dataclass(frozen=True, slots=True)
class Hello:
    """The reporter (re)started: tell it again what was not acknowledged, and every state."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Reports up to `number` of the machine with this `boot` are in safe hands."""

    boot: str
    number: int


Order: TypeAlias = Routers | Tracked | Coverage | Failover | Release | Hello | Taken


_PLAIN: Final[dict[str, Order]] = {"routers": Routers(), "hello": Hello()}


def dumps(order: Order) -> bytes:
    """Return an order as one line of JSON."""
    match order:
        case Routers():
            fields: dict[str, Any] = {"order": "routers"}
        case Tracked():
            moved = [[one.source, one.by.delta, one.by.why] for one in order.moved]
            fields = {"order": "tracked", "instance": order.instance}
            fields |= {"moved": moved, "held": list(order.held)}
        case Coverage():
            fields = {"order": "coverage", "share": order.share}
        case Failover():
            fields = {"order": "failover", "instance": order.instance, "hold": order.hold}
        case Release():
            fields = {"order": "release", "instance": order.instance}
        case Hello():
            fields = {"order": "hello"}
        case Taken():
            fields = {"order": "taken", "boot": order.boot, "number": order.number}
        case _:
            assert_never(order)
    return json.dumps(fields).encode()


def loads(line: bytes) -> Order:
    """Read one order; raise `MalformedOrder`."""
    try:
        fields = json.loads(line)
        match fields["order"]:
            case "routers" | "hello" as plain:
                return _PLAIN[plain]
            case "tracked":
                return _tracked(fields)
            case "coverage":
                share = fields["share"]
                return Coverage(None if share is None else float(share))
            case "failover":
                return Failover(str(fields["instance"]), float(fields["hold"]))
            case "release":
                return Release(str(fields["instance"]))
            case "taken":
                return Taken(str(fields["boot"]), int(fields["number"]))
            case unknown:
                raise MalformedOrder(f"unknown order {unknown!r}")
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise MalformedOrder(f"{wrong!r} in {line[:200]!r}") from wrong


def _tracked(fields: dict[str, Any]) -> Tracked:
    moved = (
        Moved(str(source), Contribution(None if delta is None else int(delta), str(why)))
        for source, delta, why in fields["moved"]
    )
    return Tracked(str(fields["instance"]), tuple(moved), tuple(map(str, fields["held"])))

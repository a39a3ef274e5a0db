"""What the reporter tells the machine <-> JSON lines.

One rule: what cannot be read raises `MalformedOrder`, and the machine goes on as it was.
"""

import json
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any, Final, TypeAlias, assert_never

from libra_vrrp.announce import Garp
from libra_vrrp.codec import Checksum
from libra_vrrp.lease import Terms
from libra_vrrp.router import After, Always, Never, Preempt, WhenSynced


class MalformedOrder(ValueError):
    """The reporter, or the file that it left, says something that makes no sense."""


@dataclass(frozen=True, slots=True)
class Place:
    """A virtual address and the interface where it lives."""

    interface: str
    address: IPv4Address


@dataclass(frozen=True, slots=True)
class Instance:
    """One virtual router of this node; `priority` is the configured one, times are seconds."""

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
    tracked: tuple[str, ...] = ()
    """Other interfaces without which the router is in fault."""


@dataclass(frozen=True, slots=True)
class Routers:
    """Read the kept list of routers again: it changed."""


@dataclass(frozen=True, slots=True)
class Delta:
    """A tracked object adds `delta` to the priority of an instance; the last value holds."""

    instance: str
    source: str
    delta: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """Whether the copy of the peer's connections is good enough to take over."""

    synced: bool


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


Order: TypeAlias = Routers | Delta | Coverage | Failover | Release | Hello | Taken


_PLAIN: Final[dict[str, Order]] = {"routers": Routers(), "hello": Hello()}


def dumps(order: Order) -> bytes:
    """Return an order as one line of JSON."""
    match order:
        case Routers():
            fields: dict[str, Any] = {"order": "routers"}
        case Delta():
            fields = {"order": "delta", "instance": order.instance}
            fields |= {"source": order.source, "delta": order.delta}
        case Coverage():
            fields = {"order": "coverage", "synced": order.synced}
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
            case "delta":
                return Delta(str(fields["instance"]), str(fields["source"]), int(fields["delta"]))
            case "coverage":
                return Coverage(bool(fields["synced"]))
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


def dump_instances(instances: tuple[Instance, ...]) -> bytes:
    """Return the list of routers as the file holds it: one JSON object per line."""
    return b"".join(json.dumps(_fields(one)).encode() + b"\n" for one in instances)


def load_instances(text: bytes) -> tuple[Instance, ...]:
    """Read the list of routers; raise `MalformedOrder`."""
    try:
        found = tuple(_instance(json.loads(line)) for line in text.splitlines() if line.strip())
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise MalformedOrder(f"list of routers: {wrong!r}") from wrong
    identities = [(one.interface, one.vrid) for one in found]
    if len(set(identities)) < len(found) or len({one.name for one in found}) < len(found):
        raise MalformedOrder("list of routers: a name, or a vrid on one interface, appears twice")
    return found


def _fields(one: Instance) -> dict[str, Any]:
    return {
        "name": one.name,
        "interface": one.interface,
        "vrid": one.vrid,
        "priority": one.priority,
        "places": [[place.interface, str(place.address)] for place in one.places],
        "interval": one.interval,
        "preempt": _preempt_fields(one.preempt),
        "start_delay": one.start_delay,
        "lease": [one.terms.duration, one.terms.margin],
        "garp": [one.garp.repeat, one.garp.delay, one.garp.refresh],
        "checksum": one.checksum.value,
        "tracked": list(one.tracked),
    }


def _instance(fields: dict[str, Any]) -> Instance:
    duration, margin = fields["lease"]
    repeat, delay, refresh = fields["garp"]
    return Instance(
        name=str(fields["name"]),
        interface=str(fields["interface"]),
        vrid=int(fields["vrid"]),
        priority=int(fields["priority"]),
        places=tuple(Place(str(where), IPv4Address(what)) for where, what in fields["places"]),
        interval=float(fields["interval"]),
        preempt=_preempt(*fields["preempt"]),
        start_delay=float(fields["start_delay"]),
        terms=Terms(int(duration), float(margin)),
        garp=Garp(int(repeat), float(delay), float(refresh)),
        checksum=Checksum(fields["checksum"]),
        tracked=tuple(str(name) for name in fields["tracked"]),
    )


def _preempt_fields(preempt: Preempt) -> list[Any]:
    match preempt:
        case Never():
            return ["never", 0]
        case Always():
            return ["always", 0]
        case After(delay=seconds):
            return ["after", seconds]
        case WhenSynced(deadline=seconds):
            return ["when-synced", seconds]
        case _:
            assert_never(preempt)


def _preempt(word: str, seconds: float) -> Preempt:
    match word:
        case "never":
            return Never()
        case "always":
            return Always()
        case "after":
            return After(float(seconds))
        case "when-synced":
            return WhenSynced(float(seconds))
        case _:
            raise MalformedOrder(f"unknown preemption {word!r}")

"""Virtual routers: `instances: {front: {interface: eth0, vrid: 51, ...}}`."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictBool

from libra_schemas.config.fields import Duration, InterfaceAddress, parse_duration
from libra_schemas.model import Name, Strict

Interface = Annotated[str, Field(pattern=r"^[^\s/]{1,15}$")]
Priority = Annotated[int, Field(ge=1, le=255)]
_SHORTEST, _LONGEST = 0.01, 40.95


def _fits_the_packet(value: object) -> float:
    """Read an interval; raise ValueError outside 12 bits of centiseconds (RFC 9568 §5.2.7)."""
    seconds = parse_duration(value)
    if _SHORTEST <= seconds <= _LONGEST:
        return seconds
    hint = ""
    if not isinstance(value, str) and _SHORTEST <= seconds / 1000 <= _LONGEST:
        hint = f"; a bare number is in seconds: write {seconds:g}ms"
    raise ValueError(f"must be between 10ms and 40.95s{hint}")


Interval = Annotated[Duration, BeforeValidator(_fits_the_packet)]


class AddressElsewhere(Strict):
    """A virtual address that lives on another interface than the instance's."""

    address: InterfaceAddress
    interface: Interface


class TrackWeight(Strict):
    """How much a tracked object that is down takes from the priority."""

    weight: Annotated[int, Field(ge=-253, le=253)] = -20


class Track(Strict):
    """What moves the priority or faults the instance.

    A tracked interface that is down is a fault; a tracked service without quorum and without a
    sorry server only lowers the priority.
    """

    interfaces: tuple[Interface, ...] = ()
    services: dict[Name, TrackWeight] = Field(default_factory=dict)


class Garp(Strict):
    """Gratuitous ARP: *repeat* frames per address at once and again after *delay*."""

    repeat: Annotated[int, Field(ge=1, le=50)] = 5
    delay: Duration = 5.0
    refresh: Duration = 0.0
    """0 = never again while master."""


class InstanceConfig(Strict):
    """One virtual router (RFC 9568) and the addresses it owns while master."""

    interface: Interface | dict[Name, Interface]
    vrid: Annotated[int, Field(ge=1, le=255)]
    version: Literal[3] = 3
    interval: Interval = 1.0
    priority: Priority | dict[Name, Priority] = 100
    addresses: Annotated[
        tuple[InterfaceAddress | AddressElsewhere, ...], Field(min_length=1, max_length=255)
    ]
    preempt: StrictBool | Literal["when-synced"] | Duration = "when-synced"
    start_delay: Duration = 0.0
    lease: Annotated[int, Field(ge=2, le=60)] = 2
    """Kernel lifetime of a virtual address in whole seconds."""
    checksum: Literal["pseudo-header", "rfc9568"] = "pseudo-header"
    track: Track = Track()
    garp: Garp = Garp()

    def priority_on(self, node: str) -> int | None:
        """Tell the priority of *node*, None where it does not take part."""
        return self.priority.get(node) if isinstance(self.priority, dict) else self.priority

    def interface_on(self, node: str) -> str | None:
        """Tell the interface of *node*, None where it does not take part."""
        return self.interface.get(node) if isinstance(self.interface, dict) else self.interface

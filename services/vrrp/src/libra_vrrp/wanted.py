"""Which virtual routers a config gives to a node, and what tracked services do to them.

One rule: the same config and node always give the same list, in the config's order.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from ipaddress import IPv4Address, ip_interface
from typing import Final

from libra_schemas.config import Config, InstanceConfig
from libra_schemas.config.instance import AddressElsewhere
from libra_schemas.events import AdminState, ServiceState
from libra_vrrp.announce import Garp
from libra_vrrp.codec import Checksum
from libra_vrrp.lease import Terms
from libra_vrrp.orders import Delta, Failover, Instance, Place, Release
from libra_vrrp.router import After, Always, Never, Preempt, WhenSynced

SYNC_DEADLINE: Final = 60.0
"""Seconds that a preemption waits for the peer's connections at most (design §6)."""

HOLD: Final = 60.0
"""Seconds that a failover without an end holds the node back."""

FRESH: Final = 0.9
"""Share of the peer's connections from which on we count as synced (design §6)."""


def instances(config: Config, node: str) -> tuple[Instance, ...]:
    """Return the virtual routers in which `node` takes part; IPv6 addresses are left out yet."""
    found = (_instance(name, one, node) for name, one in config.instances.items())
    return tuple(one for one in found if one is not None)


def deltas(config: Config, services: Mapping[str, ServiceState]) -> tuple[Delta, ...]:
    """Return what each tracked service adds to each priority.

    A service counts as up while its sorry server serves, and while nothing is known of it:
    otherwise all backends dead would move the addresses for nothing. What one instance of a group
    tracks weighs on all: they could not follow a priority of its own.
    """
    found: list[Delta] = []
    for name, one in config.instances.items():
        for service, weight in _weights(config, one).items():
            state = services.get(service)
            is_up = state is None or state.up or state.sorry
            found.append(Delta(name, f"service.{service}", 0 if is_up else weight))
    return tuple(found)


def _weights(config: Config, one: InstanceConfig) -> dict[str, int]:
    """Return what an instance and those of its group track; of two weights the heavier counts."""
    together = [
        each
        for each in config.instances.values()
        if each is one or (one.group is not None and each.group == one.group)
    ]
    found: dict[str, int] = {}
    for each in together:
        for service, tracked in each.track.services.items():
            found[service] = min(tracked.weight, found.get(service, tracked.weight))
    return found


def failovers(
    admin: AdminState, decided: datetime, node: str, since: Mapping[str, datetime | None]
) -> tuple[Failover, ...]:
    """Return what the operator wants this node to give up, and how long it is to hold back.

    `since` says of each instance from when on it is ours, None where it is not. An order is meant
    for who was master when it was decided: one that comes late through a peer's log must not move
    the address back again. A node that hands over takes nothing else up meanwhile.
    """
    if not admin.failover:
        return ()
    hold = HOLD if admin.until is None else max((admin.until - decided).total_seconds(), 0.0)
    return tuple(
        Failover(name, hold)
        for name in _named(admin, node, since)
        if _is_meant(since[name], decided, whole_node=admin.entity[0] == "node")
    )


def releases(
    admin: AdminState, node: str, names: Iterable[str], standing: Iterable[AdminState]
) -> tuple[Release, ...]:
    """Return what `admin` takes back: what it names and no failover that is `standing` does."""
    if admin.failover:
        return ()
    known = tuple(names)
    held = {name for other in standing for name in _named(other, node, known)}
    return tuple(Release(name) for name in _named(admin, node, known) if name not in held)


def _is_meant(since: datetime | None, decided: datetime, *, whole_node: bool) -> bool:
    return whole_node if since is None else since <= decided


def _named(admin: AdminState, node: str, names: Iterable[str]) -> tuple[str, ...]:
    """List which of `names` the operator means, here."""
    if admin.node not in {None, node}:
        return ()
    match admin.entity:
        case ("instance", one):
            return tuple(name for name in names if name == one)
        case ("node", one) if one == node:
            return tuple(names)
        case _:
            return ()


def _instance(name: str, one: InstanceConfig, node: str) -> Instance | None:
    interface, priority = one.interface_on(node), one.priority_on(node)
    if interface is None or priority is None:
        return None
    places = tuple(
        place for address in one.addresses if (place := _place(address, interface)) is not None
    )
    if not places:
        return None
    return Instance(
        name=name,
        interface=interface,
        vrid=one.vrid,
        priority=priority,
        places=places,
        interval=one.interval,
        preempt=_preempt(one),
        start_delay=one.start_delay,
        terms=Terms(one.lease),
        garp=Garp(one.garp.repeat, one.garp.delay, one.garp.refresh),
        checksum=Checksum(one.checksum),
        tracked=one.track.interfaces,
        group=one.group or "",
    )


def _place(address: str | AddressElsewhere, interface: str) -> Place | None:
    if isinstance(address, AddressElsewhere):
        interface, address = address.interface, address.address
    ip = ip_interface(address).ip
    return Place(interface, ip) if isinstance(ip, IPv4Address) else None


def _preempt(one: InstanceConfig) -> Preempt:
    match one.preempt:
        case True:
            return Always()
        case False:
            return Never()
        case "when-synced":
            return WhenSynced(SYNC_DEADLINE)
        case seconds:
            return After(float(seconds))

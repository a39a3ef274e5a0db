"""Which virtual routers a config gives to a node, and what an operator wants of them.

One rule: the same config and node always give the same list, in the config's order.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from libra_schemas.config import Config, InstanceConfig, Track, TrackedInterface
from libra_schemas.config.instance import (
    AddressElsewhere,
    Family,
    VirtualAddress,
    family_of,
    prefix_of,
    virtual_address,
)
from libra_schemas.events import AdminState
from libra_vrrp.announce import Garp
from libra_vrrp.codec import Checksum
from libra_vrrp.lease import Terms
from libra_vrrp.orders import Failover, Instance, Place, Release, Seal, TrackedLink
from libra_vrrp.router import After, Always, Never, Preempt, WhenSynced
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.settle import Delays
from libra_vrrp.tied import ends
from libra_vrrp.together import together
from libra_vrrp.vmac import Vmac
from libra_vrrp.wanted_routing import routes, rules

SYNC_DEADLINE: Final = 60.0
"""Seconds that a preemption waits for the peer's connections at most (design §6)."""

HOLD: Final = 60.0
"""Seconds that a failover without an end holds the node back."""

FAMILIES: Final[tuple[Family, ...]] = ("ipv4", "ipv6")
NO_SECRETS: Final[Mapping[str, bytes]] = MappingProxyType({})


def instances(
    config: Config, node: str, secrets: Mapping[str, bytes] = NO_SECRETS
) -> tuple[Instance, ...]:
    """Return the virtual routers in which `node` takes part.

    `secrets` holds what is in the files that `secret_files` lists.
    """
    found: list[Instance] = []
    for name, one in config.instances.items():
        interface, priority = one.interface_on(node), one.priority_on(node)
        if interface is not None and priority is not None:
            routers = _routers(config, name, interface, priority)
            found += (_spoken_to(each, one, config, node, secrets) for each in routers)
    return tuple(found)


def instances_of(config: Config) -> dict[str, str]:
    """Return the name of each virtual router, and of the config's instance that it belongs to."""
    found = config.instances.items()
    return {name: instance for instance, one in found for name in one.routers(instance)}


def secret_files(config: Config, node: str) -> tuple[str, ...]:
    """Return the files that `node` has to read, each once."""
    wanted = (
        one.auth_file
        for one in config.instances.values()
        if one.interface_on(node) is not None and one.priority_on(node) is not None
    )
    return tuple(dict.fromkeys(path for path in wanted if path is not None))


def tracks(config: Config, node: str) -> dict[str, Track]:
    """Return what each virtual router of `node` tracks."""
    return {
        router: together(config, name)
        for router, name in instances_of(config).items()
        if config.instances[name].interface_on(node) is not None
        and config.instances[name].priority_on(node) is not None
    }


def failovers(
    admin: AdminState,
    decided: datetime,
    node: str,
    routers: Mapping[str, str],
    since: Mapping[str, datetime],
) -> tuple[Failover, ...]:
    """Return what the operator wants this node to give up, and how long it is to hold back.

    `routers` are as `instances_of` says, `since` says of each that is ours from when on. An order
    is meant for who was master when it was decided: one that comes late through a peer's log must
    not move the address back again. A node that hands over takes nothing else up meanwhile.
    """
    if not admin.failover:
        return ()
    hold = HOLD if admin.until is None else max((admin.until - decided).total_seconds(), 0.0)
    return tuple(
        Failover(name, hold)
        for name in _named(admin, node, routers)
        if _is_meant(since.get(name), decided, whole_node=admin.entity[0] == "node")
    )


def releases(
    admin: AdminState, node: str, routers: Mapping[str, str], standing: Iterable[AdminState]
) -> tuple[Release, ...]:
    """Return what `admin` takes back: what it names and no failover that is `standing` does."""
    if admin.failover:
        return ()
    held = {name for other in standing for name in _named(other, node, routers)}
    return tuple(Release(name) for name in _named(admin, node, routers) if name not in held)


def _is_meant(since: datetime | None, decided: datetime, *, whole_node: bool) -> bool:
    return whole_node if since is None else since <= decided


def _named(admin: AdminState, node: str, routers: Mapping[str, str]) -> tuple[str, ...]:
    """List which of `routers` the operator means, here."""
    if admin.node not in {None, node}:
        return ()
    match admin.entity:
        case ("instance", one):
            return tuple(name for name, instance in routers.items() if instance == one)
        case ("node", one) if one == node:
            return tuple(routers)
        case _:
            return ()


def _routers(config: Config, name: str, interface: str, priority: int) -> Iterator[Instance]:
    """Yield the router of each family; what is excluded goes with the only one there is."""
    one, tracked = config.instances[name], together(config, name)
    routers = one.routers(name)
    implicit = f"both families of {name}" if len(routers) > 1 else ""
    for router, family in routers.items():
        excluded = FAMILIES if len(routers) == 1 else (family,)
        vmac = _vmac(one, one.vmac_of(router, name))
        home = interface if vmac is None else vmac.name
        yield Instance(
            name=router,
            interface=interface,
            vrid=one.vrid,
            priority=priority,
            places=_places(one, one.addresses, home, (family,)),
            excluded=_places(one, one.excluded, home, excluded),
            routes=routes(one, interface, family, excluded),
            rules=rules(one, family, excluded),
            interval=one.interval,
            preempt=_preempt(one),
            start_delay=one.start_delay,
            terms=Terms(one.lease),
            garp=Garp(one.garp.repeat, one.garp.delay, one.garp.refresh),
            checksum=Checksum(one.checksum),
            tracked=tuple(map(_link, tracked.interfaces)),
            group=one.group or implicit,
            seal=_seal(one),
            vmac=vmac,
        )


def _vmac(one: InstanceConfig, name: str | None) -> Vmac | None:
    return None if name is None else Vmac(name, xmit_base=not one.is_veiled)


def _seal(one: InstanceConfig) -> Seal | None:
    return None if one.seal is None else Seal(one.seal.key_file, one.seal.mode == "required")


def _spoken_to(
    router: Instance, one: InstanceConfig, config: Config, node: str, secrets: Mapping[str, bytes]
) -> Instance:
    """Say in which version a router speaks, and to whom."""
    return replace(
        router,
        version=one.version,
        authentication=None if one.auth_file is None else secrets[one.auth_file],
        peers=_peers(one, config, node, router.family) if one.unicast else None,
        source=one.unicast_on(node, config.nodes[node].address, router.family),
        tether=ends(config, one, node),
    )


def _peers(one: InstanceConfig, config: Config, node: str, version: int) -> tuple[IpAddress, ...]:
    """Return where the other nodes that take part are spoken to, in the config's order."""
    others = (
        one.unicast_on(name, other.address, version)
        for name, other in config.nodes.items()
        if name != node and one.interface_on(name) is not None and one.priority_on(name) is not None
    )
    return tuple(address for address in others if address is not None)


def _places(
    one: InstanceConfig,
    written: Iterable[VirtualAddress],
    interface: str,
    families: Collection[Family],
) -> tuple[Place, ...]:
    """Return the addresses of some families and where they live, in the config's order."""
    chosen = (each for each in written if family_of(each) in families)
    return tuple(
        Place(
            each.interface if isinstance(each, AddressElsewhere) else interface,
            virtual_address(each),
            prefix_of(each) if one.connected else None,
        )
        for each in chosen
    )


def _link(written: str | TrackedInterface) -> TrackedLink:
    if isinstance(written, str):
        return TrackedLink(written)
    return TrackedLink(written.name, written.weight, Delays(written.down_for, written.up_for))


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

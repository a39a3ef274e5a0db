"""What adverts can say, and to whom: the limits of VRRP's versions, and unicast.

Sources: RFC 3768 for version 2, RFC 9568 for version 3.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from libra_schemas.config import Config, InstanceConfig
from libra_schemas.config.instance import LONGEST, LONGEST_V2, virtual_address
from libra_schemas.places import Finding, Path

_OLD = 2
_ROUTER = ("vrid", "interface", "priority", "unicast")
"""What says which virtual router a node is in, and where it is spoken to."""


def versions(config: Config) -> Iterator[Finding]:
    """Check what a version cannot say: its intervals, passwords, checksums and families."""
    for name, instance in config.instances.items():
        path: Path = ("instances", name)
        if instance.version == _OLD:
            yield from _of_version_2(path, instance)
        else:
            yield from _of_version_3(path, instance)


def seals(config: Config) -> Iterator[Finding]:
    """Check that no password in clear stands beside a seal: one would be taken for the other."""
    for name, instance in config.instances.items():
        path: Path = ("instances", name)
        if instance.seal is not None and instance.auth_file is not None:
            message = "a seal leaves nothing for a password to protect"
            read = ((*path, "seal"),)
            yield Finding((*path, "auth_file"), message, "leave it out", on_key=True, read=read)


def _of_version_2(path: Path, instance: InstanceConfig) -> Iterator[Finding]:
    read = ((*path, "version"),)
    if instance.interval not in range(1, LONGEST_V2 + 1):
        message = f"version 2 counts whole seconds, from 1s to {LONGEST_V2}s"
        yield Finding((*path, "interval"), message, "or write version: 3", read=read)
    if "checksum" in instance.model_fields_set:
        message = "version 2 has one checksum"
        yield Finding((*path, "checksum"), message, "leave it out", on_key=True, read=read)
    for index, written in enumerate(instance.addresses):
        if isinstance(virtual_address(written), IPv6Address):
            message = "version 2 is for IPv4 alone"
            where = (*path, "addresses", index)
            yield Finding(where, message, "or write version: 3", read=read)


def _of_version_3(path: Path, instance: InstanceConfig) -> Iterator[Finding]:
    read = ((*path, "version"),)
    if instance.interval > LONGEST:
        message = f"must be between 10ms and {LONGEST}s"
        hint = f"a bare number is in seconds; only version 2 has up to {LONGEST_V2}s"
        yield Finding((*path, "interval"), message, hint, read=read)
    if instance.auth_file is not None:
        message = "only version 2 of VRRP has a password"
        hint = "leave it out, or write version: 2"
        yield Finding((*path, "auth_file"), message, hint, on_key=True, read=read)


def unicast(config: Config) -> Iterator[Finding]:
    """Check that every node of a unicast instance has an address there, of the right family."""
    for name, instance in config.instances.items():
        path: Path = ("instances", name)
        families = {virtual_address(written).version for written in instance.addresses}
        read = ((*path, "addresses"), (*path, "unicast"))
        if not instance.unicast:
            continue
        if len(families) > 1:
            message = "adverts to single nodes are of one family, and addresses has both"
            hint = "make two instances of it"
            yield Finding((*path, "unicast"), message, hint, on_key=True, read=read)
            continue
        if isinstance(instance.unicast, dict):
            yield from _whole(path, config, instance, instance.unicast)
        yield from _fitting(path, config, instance, *families)


def told_apart(config: Config) -> Iterator[Finding]:
    """Check that a vrid is used once per unicast address: nothing else tells adverts apart."""
    taken: dict[tuple[str, object, int], str] = {}
    for name, instance in config.instances.items():
        for node, own in config.nodes.items():
            interface, priority = instance.interface_on(node), instance.priority_on(node)
            address = instance.unicast_on(node, own.address)
            if address is None or interface is None or priority is None:
                continue
            first = taken.setdefault((node, address, instance.vrid), name)
            if first != name and config.instances[first].interface_on(node) != interface:
                message = f"instance {first} has vrid {instance.vrid} at {address} already"
                path, other = ("instances", name), ("instances", first)
                read = tuple((*one, key) for one in (path, other) for key in _ROUTER)
                yield Finding((*path, "vrid"), message, "choose another number", read=read)
                break


def _whole(
    path: Path,
    config: Config,
    instance: InstanceConfig,
    written: dict[str, IPv4Address | IPv6Address],
) -> Iterator[Finding]:
    """Check that who takes part is named, once, and nobody else."""
    read = tuple((*path, key) for key in ("priority", "interface", "unicast"))
    taking_part = [
        node
        for node in config.nodes
        if instance.priority_on(node) is not None and instance.interface_on(node) is not None
    ]
    for node in taking_part:
        if node not in written:
            message = f"node {node} takes part and has no address here"
            yield Finding((*path, "unicast"), message, f"write {node}: ADDRESS", read=read)
    first: dict[object, str] = {}
    for node, address in written.items():
        where = (*path, "unicast", node)
        if node in config.nodes and node not in taking_part:
            yield Finding(where, f"node {node} takes no part", "leave it out", read=read)
        if first.setdefault(address, node) != node:
            message = f"node {first[address]} has {address} already"
            yield Finding(where, message, read=read)


def _fitting(
    path: Path, config: Config, instance: InstanceConfig, family: int
) -> Iterator[Finding]:
    """Check each node's address: of the family of the virtual ones, and none of those."""
    virtual = {virtual_address(written) for written in instance.addresses}
    for name, node in config.nodes.items():
        if instance.priority_on(name) is None or instance.interface_on(name) is None:
            continue
        address = instance.unicast_on(name, node.address)
        if address is None:
            continue
        is_written = isinstance(instance.unicast, dict)
        where: Path = (*path, "unicast", name) if is_written else (*path, "unicast")
        source: Path = where if is_written else ("nodes", name, "address")
        read = ((*path, "addresses"), source)
        if address.version != family:
            message = f"node {name} has {address}, and the virtual addresses are IPv{family}"
            hint = "" if is_written else f"write one per node, as in {{{name}: ADDRESS}}"
            yield Finding(where, message, hint, read=read)
        elif address in virtual:
            yield Finding(where, f"{address} is a virtual address", read=read)
        elif address.is_link_local or address.is_multicast or address.is_unspecified:
            yield Finding(where, f"{address} cannot be spoken to from another node", read=read)

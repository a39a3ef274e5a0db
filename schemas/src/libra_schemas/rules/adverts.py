"""What adverts can say, and to whom: the limits of VRRP's versions, and unicast.

Sources: RFC 3768 for version 2, RFC 9568 for version 3.
"""

from collections.abc import Collection, Iterator
from ipaddress import IPv6Address

from libra_schemas.config import Config, InstanceConfig
from libra_schemas.config.instance import virtual_address
from libra_schemas.config.times import LONGEST, LONGEST_V2
from libra_schemas.model import Address
from libra_schemas.places import Finding, Path

_OLD = 2
_ROUTER = ("vrid", "interface", "priority", "unicast")
"""What says which virtual router a node is in, and where it is spoken to."""
_EACH = "write one per node, as in {{{}: ADDRESS}}"
_BOTH = "write one of each family, as in {{{}: [10.0.0.1, 2001:db8::1]}}"


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
    """Check that every node of a unicast instance has an address there of each family it needs."""
    for name, instance in config.instances.items():
        path: Path = ("instances", name)
        if isinstance(instance.unicast, dict):
            yield from _whole(path, config, instance, instance.unicast)
        for node in config.nodes:
            if instance.unicast and instance.takes_part(node):
                yield from _fitting(path, config, instance, node)
                yield from _complete(path, config, instance, node)


def told_apart(config: Config) -> Iterator[Finding]:
    """Check that a vrid is used once per unicast address: nothing else tells adverts apart."""
    taken: dict[tuple[str, Address, int], str] = {}
    for name, instance in config.instances.items():
        own = (
            (node, one.address) for node, one in config.nodes.items() if instance.takes_part(node)
        )
        spoken = [(node, each) for node, one in own for each in instance.unicast_of(node, one)]
        for node, address in spoken:
            first = taken.setdefault((node, address, instance.vrid), name)
            there = config.instances[first].interface_on(node)
            if first != name and there != instance.interface_on(node):
                yield _taken(instance.vrid, address, name, first)
                break


def _taken(vrid: int, address: Address, name: str, first: str) -> Finding:
    message = f"instance {first} has vrid {vrid} at {address} already"
    path, other = ("instances", name), ("instances", first)
    read = tuple((*one, key) for one in (path, other) for key in _ROUTER)
    return Finding((*path, "vrid"), message, "choose another number", read=read)


def _whole(
    path: Path, config: Config, instance: InstanceConfig, written: Collection[str]
) -> Iterator[Finding]:
    """Check that who takes part is named, and nobody else, and no address twice."""
    read = tuple((*path, key) for key in ("priority", "interface", "unicast"))
    for node in config.nodes:
        if instance.takes_part(node) and node not in written:
            message = f"node {node} takes part and has no address here"
            yield Finding((*path, "unicast"), message, f"write {node}: ADDRESS", read=read)
    first: dict[object, str] = {}
    for node in written:
        where = (*path, "unicast", node)
        if node in config.nodes and not instance.takes_part(node):
            yield Finding(where, f"node {node} takes no part", "leave it out", read=read)
        for place, address, _ in _spoken_to(path, config, instance, node):
            if first.setdefault(address, node) != node:
                message = f"node {first[address]} has {address} already"
                yield Finding(place, message, read=read)


def _spoken_to(
    path: Path, config: Config, instance: InstanceConfig, node: str
) -> Iterator[tuple[Path, Address, Path]]:
    """Yield where a node's unicast addresses are used, each, and where it is written."""
    where: Path = (*path, "unicast", node)
    if not isinstance(instance.unicast, dict):
        yield where[:-1], config.nodes[node].address, ("nodes", node, "address")
    elif isinstance(written := instance.unicast.get(node, ()), tuple):
        yield from (((*where, i), one, (*where, i)) for i, one in enumerate(written))
    else:
        yield where, written, where


def _fitting(path: Path, config: Config, instance: InstanceConfig, node: str) -> Iterator[Finding]:
    """Check each of a node's addresses: one per family of the virtual ones, and none of those."""
    virtual = {virtual_address(written) for written in instance.addresses}
    families = {address.version for address in virtual}
    hint = "" if isinstance(instance.unicast, dict) else _EACH.format(node)
    seen: set[int] = set()
    for where, address, source in _spoken_to(path, config, instance, node):
        read = ((*path, "addresses"), source)
        if address.version not in families:
            message = f"node {node} has {address}, and the virtual addresses are IPv{min(families)}"
            yield Finding(where, message, hint, read=read)
        elif address.version in seen:
            message = f"node {node} has another IPv{address.version} address here"
            yield Finding(where, message, "write one of each family", read=read)
        elif address in virtual:
            yield Finding(where, f"{address} is a virtual address", read=read)
        elif address.is_link_local or address.is_multicast or address.is_unspecified:
            yield Finding(where, f"{address} cannot be spoken to from another node", read=read)
        seen.add(address.version)


def _complete(path: Path, config: Config, instance: InstanceConfig, node: str) -> Iterator[Finding]:
    """Check that a node has an address of each of the two families that the instance has."""
    families = {virtual_address(written).version for written in instance.addresses}
    found = tuple(_spoken_to(path, config, instance, node))
    is_written = isinstance(instance.unicast, dict) and node in instance.unicast
    missing = families - {address.version for _, address, _ in found}
    if not missing or (found and len(families) == 1) or not (found or is_written):
        return
    where: Path = (*path, "unicast", node) if is_written else (*path, "unicast")
    lacks = " and no ".join(f"IPv{version}" for version in sorted(missing))
    message = f"node {node} has no {lacks} address here, and the virtual addresses need one"
    read = ((*path, "addresses"), where, *(source for _, _, source in found))
    yield Finding(where, message, _BOTH.format(node) if len(families) > 1 else "", read=read)

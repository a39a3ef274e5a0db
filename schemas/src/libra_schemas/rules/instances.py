"""Virtual routers: who takes part, what they own, and that no two collide."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from ipaddress import IPv4Address, IPv6Address, ip_interface

from libra_schemas.config import AddressElsewhere, Config, InstanceConfig
from libra_schemas.places import Finding, Path
from libra_schemas.suggestions import NOT_YET

_ROUTER = ("vrid", "interface", "priority")
"""What says which virtual router a node is in."""


def one_sided(config: Config) -> Iterator[Finding]:
    """Check that who has a priority has an interface, and the other way round."""
    for name, instance in config.instances.items():
        yield from _one_sided(("instances", name), instance, config.nodes.keys())


def _one_sided(path: Path, instance: InstanceConfig, nodes: AbstractSet[str]) -> Iterator[Finding]:
    priority, interface = instance.priority, instance.interface
    for key, value in (("priority", priority), ("interface", interface)):
        if value == {}:
            yield Finding((*path, key), "names no node", read=((*path, key),))
    if not isinstance(priority, dict) or not isinstance(interface, dict):
        return
    if not priority or not interface:
        return
    for node in (priority.keys() - interface.keys()) & nodes:
        read = ((*path, "interface"),)
        message = f"node {node} has no interface"
        yield Finding((*path, "priority", node), message, on_key=True, read=read)
    for node in (interface.keys() - priority.keys()) & nodes:
        read = ((*path, "priority"),)
        message = f"node {node} has no priority"
        yield Finding((*path, "interface", node), message, on_key=True, read=read)


def virtual_address(written: str | AddressElsewhere) -> IPv4Address | IPv6Address:
    """Give the address of an entry of `addresses`, without its prefix length."""
    text = written.address if isinstance(written, AddressElsewhere) else written
    return ip_interface(text).ip


def addresses(config: Config) -> Iterator[Finding]:
    """Check virtual addresses: IPv4, owned once, and no node's own."""
    nodes = {node.address: name for name, node in config.nodes.items()}
    owners: dict[object, Path] = {}
    for name, instance in config.instances.items():
        for index, written in enumerate(instance.addresses):
            address = virtual_address(written)
            path: Path = ("instances", name, "addresses", index)
            if isinstance(address, IPv6Address):
                yield Finding(path, f"IPv6 virtual addresses are {NOT_YET}", "leave it out")
            if address in nodes:
                node = nodes[address]
                read: tuple[Path, ...] = (("nodes", node, "address"),)
                yield Finding(path, f"{address} is the own address of node {node}", read=read)
            first = owners.setdefault(address, path)
            if first != path:
                message = f"instance {first[1]} has {address} already"
                yield Finding(path, message, read=(first,))


def virtual_routers(config: Config) -> Iterator[Finding]:
    """Check that a vrid is used once per interface (RFC 9568 §5.2.3)."""
    taken: dict[tuple[str, str, int], str] = {}
    for name, instance in config.instances.items():
        for node in config.nodes:
            interface = instance.interface_on(node)
            if interface is None or instance.priority_on(node) is None:
                continue
            first = taken.setdefault((node, interface, instance.vrid), name)
            if first != name:
                message = f"instance {first} has vrid {instance.vrid} on {interface} already"
                path, other = ("instances", name), ("instances", first)
                read = tuple((*one, key) for one in (path, other) for key in _ROUTER)
                yield Finding((*path, "vrid"), message, "choose another number", read=read)
                break

"""Virtual addresses: that the kernel can hold them, that an advert can list them, nothing twice."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

from libra_schemas.config import AddressElsewhere, Config, InstanceConfig
from libra_schemas.config.instance import VirtualAddress, virtual_address
from libra_schemas.places import Finding, Path

FIT = 90
"""IPv6 addresses of an advert in one packet of 1,500 octets: (1500 - 40 - 8) / 16."""

_Owned: TypeAlias = tuple[object, ...]
"""What an address is told apart by: itself, and where it is link-local a node and an interface."""


def possible(config: Config) -> Iterator[Finding]:
    """Check that each can be a host's address, and is no node's own."""
    nodes = {node.address: name for name, node in config.nodes.items()}
    for path, _, written in _all(config):
        address = virtual_address(written)
        if trouble := _trouble(address):
            yield Finding(path, f"{address} {trouble}")
        if address in nodes:
            node = nodes[address]
            read: tuple[Path, ...] = (("nodes", node, "address"),)
            yield Finding(path, f"{address} is the own address of node {node}", read=read)


def once(config: Config) -> Iterator[Finding]:
    """Check that each is owned once; a link-local one once on an interface (RFC 4291 §2.5.6)."""
    owners: dict[_Owned, Path] = {}
    for path, instance, written in _all(config):
        for owned in _owned(config, instance, written):
            first = owners.setdefault(owned, path)
            if first != path:
                message = f"instance {first[1]} has {virtual_address(written)} already"
                places = (*_where(path), *_where(first)) if len(owned) > 1 else ()
                yield Finding(path, message, read=(first, *places))
                break


def listable(config: Config) -> Iterator[Finding]:
    """Check that the IPv6 addresses of an instance fit an advert."""
    for name, instance in config.instances.items():
        found = [virtual_address(written) for written in instance.addresses]
        if sum(isinstance(address, IPv6Address) for address in found) > FIT:
            message = f"an advert of one packet lists at most {FIT} IPv6 addresses"
            yield Finding(("instances", name, "addresses"), message, "put the rest in excluded")


def _trouble(address: IPv4Address | IPv6Address) -> str:
    if address.is_multicast:
        return "is a group of hosts, not one"
    if address.is_unspecified or address == IPv4Address("255.255.255.255"):
        return "is no host's address"
    if address.is_loopback:
        return "never leaves a host"
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return f"is spelled {address.ipv4_mapped} on the network"
    return ""


def _all(config: Config) -> Iterator[tuple[Path, InstanceConfig, VirtualAddress]]:
    for name, instance in config.instances.items():
        for key, listed in (("addresses", instance.addresses), ("excluded", instance.excluded)):
            for index, written in enumerate(listed):
                yield ("instances", name, key, index), instance, written


def _owned(config: Config, instance: InstanceConfig, written: VirtualAddress) -> Iterator[_Owned]:
    address = virtual_address(written)
    if not (isinstance(address, IPv6Address) and address.is_link_local):
        yield (address,)
        return
    for node in config.nodes:
        own = instance.interface_on(node)
        elsewhere = written.interface if isinstance(written, AddressElsewhere) else None
        if own is not None and instance.priority_on(node) is not None:
            yield address, node, elsewhere or own


def _where(path: Path) -> tuple[Path, ...]:
    return tuple((*path[:2], key) for key in ("interface", "priority"))

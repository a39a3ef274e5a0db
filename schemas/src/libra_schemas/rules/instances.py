"""Virtual routers: who takes part, and that no two collide."""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from libra_schemas.config import Config, InstanceConfig
from libra_schemas.config.instance import SUFFIX_IPV6, Family
from libra_schemas.model import NAME_PATTERN
from libra_schemas.places import Finding, Path

_OWNER = 255
_ROUTER = ("vrid", "interface", "priority", "addresses")
"""What says which virtual routers a node is in."""


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


def sole_owners(config: Config) -> Iterator[Finding]:
    """Check that one node at most owns the addresses of an instance (RFC 9568 §5.2.4)."""
    for name, instance in config.instances.items():
        path: Path = ("instances", name, "priority")
        is_each = isinstance(instance.priority, dict)
        first, *others = _owning(config, instance) or ("",)
        for node in others:
            message = (
                f"priority {_OWNER} is for the one node that has the addresses itself, and "
                f"{first} has it{' already' if is_each else f' as well as {node}'}"
            )
            hint = f"write a priority of {_OWNER - 1} or less"
            place = (*path, node) if is_each else path
            read = tuple((*path[:2], key) for key in ("priority", "interface"))
            yield Finding(place, message, hint, read=read)
            break


def _owning(config: Config, instance: InstanceConfig) -> list[str]:
    """List the nodes that own the addresses of an instance."""
    taking_part = filter(instance.takes_part, config.nodes)
    return [node for node in taking_part if instance.priority_on(node) == _OWNER]


def owners(config: Config) -> Iterator[Finding]:
    """Check that no delay is written for an owner, who takes over at once (RFC 9568 §6.1)."""
    for name, instance in config.instances.items():
        delay = instance.preempt
        owning = _owning(config, instance)
        if owning and isinstance(delay, float) and delay > 0:
            message = f"priority {_OWNER} takes over at once, and {owning[0]} has it"
            hint = f"write preempt: true, or a priority of {_OWNER - 1} or less"
            path: Path = ("instances", name)
            yield Finding((*path, "preempt"), message, hint, read=((*path, "priority"),))


def virtual_routers(config: Config) -> Iterator[Finding]:
    """Check that a vrid is used once per interface and family (RFC 9568 §5.2.3)."""
    taken: dict[tuple[str, str, int, Family], str] = {}
    for name, instance in config.instances.items():
        for key in _identities(config, name, instance):
            first = taken.setdefault(key, name)
            if first != name:
                message = f"instance {first} has vrid {instance.vrid} on {key[1]} already"
                path, other = ("instances", name), ("instances", first)
                read = tuple((*one, key) for one in (path, other) for key in _ROUTER)
                yield Finding((*path, "vrid"), message, "choose another number", read=read)
                break


def _identities(
    config: Config, name: str, instance: InstanceConfig
) -> Iterator[tuple[str, str, int, Family]]:
    for node in config.nodes:
        interface = instance.interface_on(node)
        if interface is not None and instance.priority_on(node) is not None:
            for family in instance.routers(name).values():
                yield node, interface, instance.vrid, family


def named(config: Config) -> Iterator[Finding]:
    """Check that the IPv6 router of an instance with both families has a name of its own."""
    for name, instance in config.instances.items():
        if len(instance.routers(name)) == 1:
            continue
        six, path = f"{name}{SUFFIX_IPV6}", ("instances", name)
        read: tuple[Path, ...] = ((*path, "addresses"),)
        called = f"the IPv6 router of instance {name} is called {six}"
        if six in config.instances:
            place: Path = ("instances", six)
            yield Finding(place, called, "rename one of them", on_key=True, read=read)
        if re.fullmatch(NAME_PATTERN, six) is None:
            message = f"{called}, which is too long"
            yield Finding(path, message, "shorten it", on_key=True, read=read)

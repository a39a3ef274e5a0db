"""Instances that move together: on the same nodes, which all of them put in one order.

Rule: what is said of a group is said at the later of two instances that do not go together.
"""

from collections.abc import Iterator
from itertools import combinations, pairwise

from libra_schemas.config import Config, InstanceConfig
from libra_schemas.places import Finding, Path

_READ = ("group", "interface", "priority")
"""What says who is in a group, and where."""


def groups(config: Config) -> dict[str, list[str]]:
    """List the instances of each group, in the config's order."""
    found: dict[str, list[str]] = {}
    for name, instance in config.instances.items():
        if instance.group is not None:
            found.setdefault(instance.group, []).append(name)
    return found


def nodes(config: Config) -> Iterator[Finding]:
    """Check that who takes part in one instance of a group takes part in all."""
    for group, first, name in _neighbours(config):
        one, other = config.instances[first], config.instances[name]
        here = {node for node in config.nodes if other.takes_part(node)}
        there = {node for node in config.nodes if one.takes_part(node)}
        if here != there:
            message = (
                f"{name} is on {_listed(here)} and {first} of the same group {group} is on "
                f"{_listed(there)}: who is not on both could be master of neither"
            )
            hint = f"give both an interface and a priority on {_listed(here | there)}"
            yield Finding(("instances", name, "group"), message, hint, read=_read(first, name))


def order(config: Config) -> Iterator[Finding]:
    """Check that priorities put the nodes in one order; a tie goes with a tie only."""
    for group, first, name in _neighbours(config):
        one, other = config.instances[first], config.instances[name]
        for a, b in combinations(config.nodes, 2):
            if _is_shared(one, other, a, b) and _sign(one, a, b) != _sign(other, a, b):
                message = (
                    f"{_said(other, a, b)} here, and {_said(one, a, b)} in {first} of the same "
                    f"group {group}: neither node could become master of both"
                )
                hint = "give the nodes the same order in every instance of a group"
                path: Path = ("instances", name, "priority")
                yield Finding(path, message, hint, read=_read(first, name))
                break


def _neighbours(config: Config) -> Iterator[tuple[str, str, str]]:
    for group, members in groups(config).items():
        for first, name in pairwise(members):
            yield group, first, name


def _is_shared(one: InstanceConfig, other: InstanceConfig, a: str, b: str) -> bool:
    return all(each.takes_part(node) for each in (one, other) for node in (a, b))


def _sign(instance: InstanceConfig, a: str, b: str) -> int:
    left, right = instance.priority_on(a) or 0, instance.priority_on(b) or 0
    return (left > right) - (left < right)


def _said(instance: InstanceConfig, a: str, b: str) -> str:
    match _sign(instance, a, b):
        case 0:
            return f"{a} and {b} are equal"
        case 1:
            return f"{a} comes before {b}"
        case _:
            return f"{b} comes before {a}"


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "no node"


def _read(*names: str) -> tuple[Path, ...]:
    return tuple(("instances", name, key) for name in names for key in _READ)

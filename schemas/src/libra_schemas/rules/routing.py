"""Virtual routes and rules: that the kernel can have them, and that no two instances share one."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import TypeAlias

from libra_schemas.config import Config, InstanceConfig
from libra_schemas.config.instance import virtual_address
from libra_schemas.config.routing import DEFAULT, VirtualRoute, VirtualRule
from libra_schemas.places import Finding, Path

_OLD = 4
_LOOKUP = "lookup"
_NOWHERE = ("via", "interface", "src", "scope")
"""What a route that drops packets has no use for."""

_UNWRITTEN = {4: 0, 6: 1024}
"""The metric that the kernel gives to a route that is asked for without (IP6_RT_PRIO_USER)."""

_Identity: TypeAlias = tuple[object, ...]


def routes(config: Config) -> Iterator[Finding]:
    """Check every route by itself."""
    for path, instance, route in _routes(config):
        yield from _family(path, route)
        yield from _dropping(path, route)
        yield from _leading(path, instance, route)


def rules(config: Config) -> Iterator[Finding]:
    """Check every rule by itself."""
    for path, rule in _rules(config):
        ends = [None if end is None else ip_network(end).version for end in (rule.from_, rule.to)]
        if None not in ends and ends[0] != ends[1]:
            message = f"from is IPv{ends[0]}, and this is IPv{ends[1]}"
            yield Finding((*path, "to"), message, "make two rules of it", read=((*path, "from"),))
        read = ((*path, "action"), (*path, "table"))
        if rule.action == _LOOKUP and rule.table is None:
            yield Finding(path, "lookup needs a table", "write table: NUMBER", read=read)
        if rule.action != _LOOKUP and rule.table is not None:
            message = f"{rule.action} looks into no table"
            yield Finding((*path, "table"), message, "leave it out", on_key=True, read=read)


def once(config: Config) -> Iterator[Finding]:
    """Check that no route and no rule is there twice: who gives one up would remove it for both."""
    first: dict[_Identity, Path] = {}
    for path, instance, route in _routes(config):
        for version in _versions(instance, route):
            yield from _again(first, _route_identity(route, version), path, "a metric")
    for path, rule in _rules(config):
        instance = config.instances[str(path[1])]
        for version in _versions(instance, rule):
            yield from _again(first, _rule_identity(rule, version), path, "a priority")


def _route_identity(route: VirtualRoute, version: int) -> _Identity:
    """Return what the kernel tells routes apart by, however it is written."""
    to = None if route.to == DEFAULT else _narrowed(route.to)
    return version, to, route.table, route.metric or _UNWRITTEN[version]


def _rule_identity(rule: VirtualRule, version: int) -> _Identity:
    """Return what the kernel tells rules apart by, however it is written."""
    mark = rule.mark if rule.mark is not None and rule.mark[1] else None
    where = _narrowed(rule.from_), _narrowed(rule.to), rule.iif, rule.oif, mark
    return version, rule.priority, *where, rule.table, rule.action


def _narrowed(network: str | None) -> str | None:
    """Return a network; None for what leaves nothing out."""
    return None if network is None or not ip_network(network).prefixlen else network


def _again(
    first: dict[_Identity, Path], identity: _Identity, path: Path, remedy: str
) -> Iterator[Finding]:
    place = first.setdefault(identity, path)
    if place != path:
        message = f"instance {place[1]} has it already, in {place[2]}[{place[3]}]"
        yield Finding(path, message, f"give it {remedy} of its own, or a table", read=(place,))


def _family(path: Path, route: VirtualRoute) -> Iterator[Finding]:
    version = route.version
    for key, address in (("via", route.via), ("src", route.src)):
        if address is not None and address.version != version:
            message = f"the route is IPv{version}, and {address} is not"
            yield Finding((*path, key), message, read=((*path, "to"), (*path, "via")))
    if version != _OLD and version is not None and route.scope is not None:
        message = "only IPv4 has scopes"
        yield Finding((*path, "scope"), message, "leave it out", on_key=True)


def _dropping(path: Path, route: VirtualRoute) -> Iterator[Finding]:
    if route.type == "unicast":
        return
    written = [key for key in _NOWHERE if getattr(route, key) is not None]
    for key in (*written, *(["onlink"] if route.onlink else [])):
        message = f"a route of type {route.type} leads nowhere"
        read = ((*path, "type"),)
        yield Finding((*path, key), message, "leave it out", on_key=True, read=read)


def _leading(path: Path, instance: InstanceConfig, route: VirtualRoute) -> Iterator[Finding]:
    read = ((*path, "via"), (*path, "interface"))
    if route.onlink and (route.via is None or route.interface is None):
        message = "onlink needs via and interface"
        yield Finding((*path, "onlink"), message, on_key=True, read=read)
    via = route.via
    if via is None:
        return
    if route.scope not in {None, "global"}:
        message = f"a network behind {via} is farther away than that"
        yield Finding((*path, "scope"), message, "leave it out", on_key=True, read=read)
    if via.is_multicast or via.is_unspecified or via.is_loopback:
        yield Finding((*path, "via"), f"{via} is no router's address")
    elif via in _held(instance):
        where: Path = path[:2]
        held = ((*where, "addresses"), (*where, "excluded"))
        yield Finding((*path, "via"), f"{via} is an address of the master itself", read=held)


def _held(instance: InstanceConfig) -> set[IPv4Address | IPv6Address]:
    return {virtual_address(each) for each in (*instance.addresses, *instance.excluded)}


def _versions(instance: InstanceConfig, one: VirtualRoute | VirtualRule) -> set[int]:
    """Tell of which IP versions it is: without one of its own, of those of the instance."""
    if one.version is not None:
        return {one.version}
    return {virtual_address(each).version for each in instance.addresses}


def _routes(config: Config) -> Iterator[tuple[Path, InstanceConfig, VirtualRoute]]:
    for name, instance in config.instances.items():
        for index, route in enumerate(instance.routes):
            yield ("instances", name, "routes", index), instance, route


def _rules(config: Config) -> Iterator[tuple[Path, VirtualRule]]:
    for name, instance in config.instances.items():
        for index, rule in enumerate(instance.rules):
            yield ("instances", name, "rules", index), rule

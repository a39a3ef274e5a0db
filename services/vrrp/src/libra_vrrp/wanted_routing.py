"""Which virtual routes and rules a router of a config's instance has.

One rule: what says nothing of its family goes with each of the instance's routers.
"""

from collections.abc import Collection
from ipaddress import ip_network

from libra_schemas.config import InstanceConfig
from libra_schemas.config.instance import Family
from libra_schemas.config.routing import DEFAULT, VirtualRoute, VirtualRule
from libra_vrrp.routing import Fate, IpNetwork, Route, Rule, Scope

_VERSION = {"ipv4": 4, "ipv6": 6}
_EVERYWHERE = {4: ip_network("0.0.0.0/0"), 6: ip_network("::/0")}
_LOOKUP = "lookup"


def routes(
    one: InstanceConfig, interface: str, family: Family, families: Collection[Family]
) -> tuple[Route, ...]:
    """Return the routes of the router of a `family`, which brings those of `families`."""
    own, allowed = _VERSION[family], {_VERSION[each] for each in families}
    versions = [(each, each.version or own) for each in one.routes]
    return tuple(_route(each, interface, ip) for each, ip in versions if ip in allowed)


def rules(one: InstanceConfig, family: Family, families: Collection[Family]) -> tuple[Rule, ...]:
    """Return the rules of the router of a `family`, which brings those of `families`."""
    own, allowed = _VERSION[family], {_VERSION[each] for each in families}
    versions = [(each, each.version or own) for each in one.rules]
    return tuple(_rule(each, ip) for each, ip in versions if ip in allowed)


def _route(written: VirtualRoute, interface: str, version: int) -> Route:
    """Return a route; one that does not say through what leads out of the instance's interface."""
    fate, device = Fate.FORWARD, written.interface
    if written.type != "unicast":
        fate = Fate[written.type.upper()]
    elif device is None and (written.via is None or written.via.is_link_local):
        device = interface
    return Route(
        to=_EVERYWHERE[version] if written.to == DEFAULT else ip_network(written.to),
        device=device,
        via=written.via,
        source=written.src,
        table=written.table,
        metric=written.metric or 0,
        scope=None if written.scope is None else Scope[written.scope.upper()],
        onlink=written.onlink,
        fate=fate,
    )


def _rule(written: VirtualRule, version: int) -> Rule:
    action = written.action
    return Rule(
        family=version,
        priority=written.priority,
        source=_network(written.from_),
        destination=_network(written.to),
        into=written.iif,
        out=written.oif,
        mark=written.mark,
        table=written.table or 0,
        fate=Fate.FORWARD if action == _LOOKUP else Fate[action.upper()],
    )


def _network(text: str | None) -> IpNetwork | None:
    return None if text is None else ip_network(text)

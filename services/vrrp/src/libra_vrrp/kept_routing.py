"""Virtual routes and rules <-> what the kept list of routers says of them.

One rule: what makes no sense raises `ValueError`, `KeyError` or `TypeError`.
"""

from ipaddress import ip_address, ip_network
from typing import Any

from libra_vrrp.routing import Fate, IpNetwork, Route, Rule, Scope


def route_fields(one: Route) -> dict[str, Any]:
    """Return a route as JSON has it."""
    return {
        "to": str(one.to),
        "device": one.device,
        "via": None if one.via is None else str(one.via),
        "source": None if one.source is None else str(one.source),
        "table": one.table,
        "metric": one.metric,
        "scope": None if one.scope is None else one.scope.name.lower(),
        "onlink": one.onlink,
        "fate": one.fate.name.lower(),
    }


def route(fields: dict[str, Any]) -> Route:
    """Read a route."""
    scope = fields["scope"]
    return Route(
        to=ip_network(fields["to"]),
        device=_text(fields["device"]),
        via=None if (via := fields["via"]) is None else ip_address(via),
        source=None if (source := fields["source"]) is None else ip_address(source),
        table=int(fields["table"]),
        metric=int(fields["metric"]),
        scope=None if scope is None else Scope[scope.upper()],
        onlink=bool(fields["onlink"]),
        fate=Fate[fields["fate"].upper()],
    )


def rule_fields(one: Rule) -> dict[str, Any]:
    """Return a rule as JSON has it."""
    return {
        "family": one.family,
        "priority": one.priority,
        "source": None if one.source is None else str(one.source),
        "destination": None if one.destination is None else str(one.destination),
        "into": one.into,
        "out": one.out,
        "mark": None if one.mark is None else [*one.mark],
        "table": one.table,
        "fate": one.fate.name.lower(),
    }


def rule(fields: dict[str, Any]) -> Rule:
    """Read a rule."""
    mark = fields["mark"]
    return Rule(
        family=int(fields["family"]),
        priority=int(fields["priority"]),
        source=_network(fields["source"]),
        destination=_network(fields["destination"]),
        into=_text(fields["into"]),
        out=_text(fields["out"]),
        mark=None if mark is None else (int(mark[0]), int(mark[1])),
        table=int(fields["table"]),
        fate=Fate[fields["fate"].upper()],
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _network(value: str | None) -> IpNetwork | None:
    return None if value is None else ip_network(value)

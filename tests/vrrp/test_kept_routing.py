"""Routes and rules in the kept list of routers."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from libra_vrrp.kept_routing import route, route_fields, rule, rule_fields
from libra_vrrp.routing import Fate, Route, Rule, Scope

NET = ip_network("10.0.0.0/8")
ROUTES = (
    Route(NET),
    Route(NET, "eth0", ip_address("192.0.2.1"), ip_address("192.0.2.10"), 7, 8, Scope.HOST),
    Route(ip_network("::/0"), "eth0", ip_address("fe80::1"), onlink=True),
    Route(NET, fate=Fate.PROHIBIT),
)
RULES = (
    Rule(4, 100),
    Rule(6, 1, ip_network("2001:db8::/32"), ip_network("::1/128"), "eth0", "lo", (1, 3), 7),
    Rule(4, 2, fate=Fate.BLACKHOLE),
)


@pytest.mark.parametrize("one", ROUTES)
def test_a_route_arrives_as_it_was_kept(one: Route) -> None:
    assert route(route_fields(one)) == one


@pytest.mark.parametrize("one", RULES)
def test_a_rule_arrives_as_it_was_kept(one: Rule) -> None:
    assert rule(rule_fields(one)) == one


@pytest.mark.parametrize(
    "changes", [{"to": "here"}, {"fate": "luck"}, {"scope": "world"}, {"via": 1.5}, {"table": None}]
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        route(route_fields(ROUTES[1]) | changes)

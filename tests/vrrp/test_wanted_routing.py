"""From the config's routes and rules to those of one virtual router."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from libra_schemas.config import InstanceConfig
from libra_schemas.config.instance import Family
from libra_vrrp.routing import Fate, Route, Rule, Scope
from libra_vrrp.wanted_routing import routes, rules

FOUR, SIX = ip_network("0.0.0.0/0"), ip_network("::/0")
BOTH: tuple[Family, ...] = ("ipv4", "ipv6")


def instance(**fields: Any) -> InstanceConfig:
    base = {"interface": "eth0", "vrid": 51, "addresses": ["192.0.2.10/24"]}
    return InstanceConfig.model_validate(base | fields)


@pytest.mark.parametrize(
    ("written", "route"),
    [
        pytest.param({"to": "default"}, Route(FOUR, "eth0"), id="out of the instance's interface"),
        pytest.param(
            {"to": "default", "via": "192.0.2.1"},
            Route(FOUR, None, ip_address("192.0.2.1")),
            id="where the kernel finds the next router",
        ),
        pytest.param(
            {"to": "default", "via": "fe80::1"},
            Route(SIX, "eth0", ip_address("fe80::1")),
            id="to a link-local router",
        ),
        pytest.param(
            {"to": "10.0.0.0/8", "via": "192.0.2.1", "interface": "eth1", "src": "192.0.2.10"}
            | {"table": 7, "metric": 8, "scope": "link", "onlink": True},
            Route(
                ip_network("10.0.0.0/8"), "eth1", ip_address("192.0.2.1"),
                ip_address("192.0.2.10"), 7, 8, Scope.LINK, onlink=True,
            ),
            id="all of it",
        ),
        pytest.param(
            {"to": "2001:db8::/32", "type": "unreachable", "table": "default"},
            Route(ip_network("2001:db8::/32"), table=253, fate=Fate.UNREACHABLE),
            id="nowhere",
        ),
    ],
)  # fmt: skip
def test_a_route_is_what_is_written(written: dict[str, Any], route: Route) -> None:
    assert routes(instance(routes=[written]), "eth0", "ipv4", BOTH) == (route,)


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        pytest.param({"table": "main"}, Rule(4, 100, table=254), id="everything"),
        pytest.param(
            {"from": "10.0.0.0/8", "to": "192.0.2.1", "iif": "eth0", "oif": "lo"}
            | {"fwmark": "0x10/0xff", "table": 7},
            Rule(
                4, 100, ip_network("10.0.0.0/8"), ip_network("192.0.2.1/32"), "eth0", "lo",
                (16, 255), 7,
            ),
            id="all of it",
        ),
        pytest.param(
            {"from": "2001:db8::/32", "action": "prohibit"},
            Rule(6, 100, ip_network("2001:db8::/32"), table=0, fate=Fate.PROHIBIT),
            id="nowhere",
        ),
    ],
)  # fmt: skip
def test_a_rule_is_what_is_written(written: dict[str, Any], rule: Rule) -> None:
    assert rules(instance(rules=[{"priority": 100} | written]), "ipv4", BOTH) == (rule,)


def test_of_two_routers_each_has_what_is_of_its_family_and_what_is_of_none() -> None:
    made = instance(
        addresses=["192.0.2.10/24", "2001:db8::10/64"],
        routes=[{"to": "default"}, {"to": "10.0.0.0/8"}, {"to": "2001:db8:1::/48"}],
        rules=[{"priority": 1, "iif": "eth1", "table": 7}],
    )
    four, six = (routes(made, "eth0", each, (each,)) for each in BOTH)
    assert [str(one.to) for one in four] == ["0.0.0.0/0", "10.0.0.0/8"]
    assert [str(one.to) for one in six] == ["::/0", "2001:db8:1::/48"]
    assert [rules(made, each, (each,))[0].family for each in BOTH] == [4, 6]

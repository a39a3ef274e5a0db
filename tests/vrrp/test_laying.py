"""What an order comes to in the kernel, on the interfaces that there are."""

from ipaddress import IPv4Address, IPv6Address, ip_network

from libra_vrrp import routing
from libra_vrrp.interfaces import Interfaces, fold
from libra_vrrp.laying import Laying, laying
from libra_vrrp.orders import Instance, Place
from libra_vrrp.routing import Fate, Route, Rule
from libra_vrrp.rtnetlink import LinkHeld

KNOWN = fold(Interfaces(), [LinkHeld(2, "eth0", up=True, mac=bytes(6))])
VIP, SIX = IPv4Address("192.0.2.10"), IPv6Address("2001:db8::10")
NET = ip_network("10.0.0.0/8")


def order(*held: Place, routes: tuple[Route, ...] = (), rules: tuple[Rule, ...] = ()) -> Instance:
    return Instance("front", "eth0", 51, 100, held, routes=routes, rules=rules)


def test_addresses_alone_need_nothing_beside_them() -> None:
    assert laying(order(Place("eth0", VIP, 24), Place("eth0", SIX)), KNOWN) == Laying()


def test_routes_come_before_rules_and_each_once() -> None:
    out, hole = Route(NET, "eth0"), Route(NET, fate=Fate.BLACKHOLE, table=9)
    rule = Rule(4, 100, table=9)
    found = laying(order(Place("eth0", VIP), routes=(out, hole, out), rules=(rule,)), KNOWN)
    assert found.entries == (routing.route(out, 2), routing.route(hole, 0), routing.rule(rule))
    assert found.lacking == ()


def test_a_route_out_of_an_interface_that_is_not_there_is_told() -> None:
    out, away = Route(NET, "eth0"), Route(NET, "eth7", metric=7)
    found = laying(order(Place("eth0", VIP), routes=(away, out)), KNOWN)
    assert found == Laying((routing.route(out, 2),), ("interface eth7 does not exist",))


def test_the_network_of_a_connected_ipv6_address_is_a_route_behind_the_hosts_own() -> None:
    twice = Place("eth0", SIX, 64), Place("eth0", SIX + 1, 64)
    found = laying(order(*twice), KNOWN)
    net = Route(ip_network("2001:db8::/64"), "eth0", metric=1024 + 51)
    assert found.entries == (routing.route(net, 2),)

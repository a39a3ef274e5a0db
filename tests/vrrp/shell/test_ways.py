"""What a master's routes and rules come to: counted always, told where it is news."""

from dataclasses import dataclass, field, replace
from errno import ENETUNREACH
from ipaddress import IPv4Address, ip_network
from typing import cast

from libra_vrrp.interfaces import Interfaces, fold
from libra_vrrp.orders import Instance, Place
from libra_vrrp.renewal import UNKNOWN, Laid, Renew
from libra_vrrp.routing import Entry, Route, Rule
from libra_vrrp.rtnetlink import Answered, LinkGone, LinkHeld
from libra_vrrp.shell.ground import Ground
from libra_vrrp.shell.ways import SHOWN, Ways

REFUSED = Answered(1, ENETUNREACH, "Nexthop has invalid gateway")
NET = ip_network("10.0.0.0/8")
ORDER = Instance(
    "front",
    "eth0",
    51,
    100,
    (Place("eth0", IPv4Address("192.0.2.10")),),
    routes=(Route(NET, "eth0"), Route(NET, "eth7", metric=7)),
    rules=(Rule(4, 100, table=7),),
)


@dataclass
class Told:
    """What a machine would count and tell."""

    interfaces: Interfaces = field(
        default_factory=lambda: fold(Interfaces(), [LinkHeld(2, "eth0", up=True, mac=bytes(6))])
    )
    counts: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)

    def count(self, name: str) -> None:
        self.counts.append(name)

    def alarm(self, _instance: str, kind: str, _peer: None, detail: str, _reason: str) -> None:
        self.alarms.append(f"{kind}: {detail}")


def renew(entries: tuple[Entry, ...]) -> Renew:
    return Renew("front", 1, (), 2, 0.0, 1.5, entries)


def begun() -> tuple[Told, Ways, Renew]:
    told = Told()
    ways = Ways("front", cast("Ground", told))
    return told, ways, renew(ways.wanted(ORDER))


def test_what_cannot_be_had_is_told_once_and_asked_for_still() -> None:
    told, ways, asked = begun()
    route, rule = asked.entries
    for _ in range(3):
        ways.take_in(Laid(asked, (rule,), ((route, REFUSED),)))
    refusal = "route 10.0.0.0/8 dev eth0: Network is unreachable (Nexthop has invalid gateway)"
    assert told.alarms == [f"route: interface eth7 does not exist; {refusal}"]
    assert told.counts.count("routes_refused") == 3
    ways.take_in(Laid(asked, (route,)))
    ways.take_in(Laid(asked, (), ((route, Answered(1, UNKNOWN)),)))
    assert told.alarms[1:] == ["route: route 10.0.0.0/8 dev eth0: the kernel did not answer"]


def test_one_that_has_to_be_made_again_is_counted() -> None:
    told, ways, asked = begun()
    ways.take_in(Laid(asked, asked.entries))
    assert told.counts == []
    ways.take_in(Laid(asked))
    ways.take_in(Laid(asked, asked.entries[:1]))
    assert told.counts == ["routes_restored"]


def test_an_order_whose_interfaces_are_all_gone_is_told_at_once() -> None:
    told, ways, _ = begun()
    told.interfaces = Interfaces()
    order = Instance("front", "eth0", 51, 100, ORDER.places, routes=ORDER.routes)
    assert ways.wanted(order) == ()
    assert told.alarms == [
        "route: interface eth0 does not exist; interface eth7 does not exist",
    ]


def test_an_alarm_spells_out_a_few() -> None:
    told, ways, _ = begun()
    rules = tuple(Rule(4, 100 + number, table=7) for number in range(SHOWN + 2))
    order = Instance("front", "eth0", 51, 100, ORDER.places, rules=rules)
    asked = renew(ways.wanted(order))
    ways.take_in(
        Laid(asked, (), tuple((entry, Answered(1, ENETUNREACH)) for entry in asked.entries))
    )
    assert told.alarms[0].endswith(" and 2 more")


def test_what_was_asked_for_is_known_while_its_interface_is_there_whatever_its_name() -> None:
    """An interface that came and went left its routes here each time, for the mastership's life."""
    told, ways, asked = begun()
    first, rule = asked.entries
    link = told.interfaces.links[2]
    told.interfaces = fold(told.interfaces, [replace(link, name="wan0"), replace(link, index=3)])
    (second, _) = ways.wanted(ORDER)
    assert ways.asked == (first, rule, second)
    for index in range(4, 20):
        told.interfaces = fold(told.interfaces, [LinkGone(index - 1), replace(link, index=index)])
        latest, _ = ways.wanted(ORDER)
        assert ways.asked == (first, rule, latest)

"""What a cluster is told: the orders of every host, by dice."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address

from tests.vrrp.simulation.kernel import INTERFACE
from tests.vrrp.simulation.sealed import KEY_FILE

from libra_vrrp.announce import Garp
from libra_vrrp.codec import OWNER
from libra_vrrp.lease import Terms
from libra_vrrp.orders import Instance, Place, Seal
from libra_vrrp.router import After, Always, Never, Preempt, WhenSynced
from libra_vrrp.routing import Rule
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.tether.ends import Ends

PRIORITIES = (50, 100, 100, 101, 150, 200, 254)
PORT, TIED = 9645, 0.8
"""Where tethers listen, and how often there are some."""
MEMBERS: tuple[tuple[str, int, dict[int, IpAddress]], ...] = (
    ("front", 51, {4: IPv4Address("192.0.2.10"), 6: IPv6Address("2001:db8::10")}),
    ("inside", 52, {4: IPv4Address("198.51.100.1"), 6: IPv6Address("fe80::10")}),
    ("third", 53, {4: IPv4Address("203.0.113.1"), 6: IPv6Address("2001:db8:3::1")}),
)


MORE: dict[int, IpAddress] = {4: IPv4Address("192.0.2.77"), 6: IPv6Address("2001:db8::77")}
"""Addresses that come, go and move from one instance to another."""


def home(number: int, family: int, *, is_unicast: bool) -> IpAddress:
    """Return the address that a host speaks from: in IPv6 a link-local one, to the group."""
    if family == 4:
        return IPv4Address("10.9.0.1") + number
    return IPv6Address("2001:db8:9::1" if is_unicast else "fe80::a:1") + number


def node_address(number: int) -> IPv4Address:
    """Return the address under `nodes`, where a host's tethers are."""
    return IPv4Address("10.8.0.1") + number


def tether(number: int, count: int) -> Ends:
    """Return who is tied to a host: everyone."""
    others = (each for each in range(count) if each != number)
    peers = tuple((f"r{each}", node_address(each)) for each in others)
    return Ends(node_address(number), PORT, peers)


def cluster(dice: random.Random, interval: float) -> list[tuple[Instance, ...]]:
    """Return the orders by host; ties happen, an owner seldom, another interval on one of them."""
    count = dice.choice([2, 2, 2, 3, 3, 4])
    policy, terms = _policy(dice, interval), Terms(dice.choice([2, 2, 3]))
    start_delay = dice.choice([0, 0, 0, 1.5])
    priorities = [dice.choice(PRIORITIES) for _ in range(count)]
    if dice.random() < 0.1:
        priorities[dice.randrange(count)] = OWNER
    intervals = [interval] * count
    if dice.random() < 0.15:
        intervals[dice.randrange(count)] *= dice.choice([2, 3])

    template = Instance(
        name="",
        interface=INTERFACE,
        vrid=51,
        priority=100,
        places=(),
        preempt=policy,
        start_delay=start_delay,
        terms=terms,
        garp=Garp(repeat=1, delay=1.0),
    )
    shape = _shape(dice)
    orders = [
        tuple(
            replace(
                template,
                name=name,
                vrid=vrid,
                places=(Place(INTERFACE, addresses[family]),),
                rules=(Rule(family, vrid, table=vrid),),
                interval=own,
                group=shape.group,
                seal=Seal(KEY_FILE) if shape.is_sealed else None,
                priority=dice.choice(PRIORITIES) if shape.is_contrary else priority,
            )
            for (name, vrid, addresses), family in zip(MEMBERS, shape.families, strict=False)
        )
        for priority, own in zip(priorities, intervals, strict=True)
    ]
    if dice.random() < TIED:
        ends = [tether(number, count) for number in range(count)]
        orders = [
            tuple(replace(one, tether=own) for one in each)
            for each, own in zip(orders, ends, strict=True)
        ]
    if not shape.is_unicast:
        return orders
    return [tuple(_among(one, number, count) for one in own) for number, own in enumerate(orders)]


def _among(order: Instance, number: int, count: int) -> Instance:
    """Have a router speak to each of the others alone."""
    homes = [home(each, order.family, is_unicast=True) for each in range(count)]
    return replace(order, source=homes[number], peers=(*homes[:number], *homes[number + 1 :]))


Change = Callable[[tuple[Instance, ...]], tuple[Instance, ...]]


def another(dice: random.Random, orders: tuple[Instance, ...]) -> Change:
    """Return how the list of every host changes: who has one more address, the lease, priorities.

    The first list may come last: nothing depends on their order.
    """
    taker = dice.choice([None, *(one.name for one in orders)])
    terms = dice.choice([one.terms for one in orders] + [Terms(3)])
    is_turned = dice.random() < 0.3

    def change(old: tuple[Instance, ...]) -> tuple[Instance, ...]:
        best = dice.choice(PRIORITIES) if dice.random() < 0.3 else None
        new = tuple(_another(one, best, terms, has_more=one.name == taker) for one in old)
        return new[::-1] if is_turned else new

    return change


def _another(old: Instance, best: int | None, terms: Terms, *, has_more: bool) -> Instance:
    priority = old.priority if best is None or old.priority == OWNER else best
    more = (Place(INTERFACE, MORE[old.family]),) if has_more else ()
    return replace(old, priority=priority, terms=terms, places=(old.places[0], *more))


@dataclass(frozen=True, slots=True)
class Shape:
    """The instances by the family of each, their group; in a contrary one priorities disagree."""

    families: tuple[int, ...] = (4,)
    group: str = ""
    is_contrary: bool = False
    is_unicast: bool = False
    is_sealed: bool = False


SHAPES = (
    *[Shape()] * 4,
    Shape((6,)),
    Shape(is_unicast=True),
    Shape((6,), is_unicast=True),
    Shape((4, 4)),
    Shape((4, 4), "both"),
    Shape((4, 6), "both families"),
    Shape((4, 6), "both families", is_unicast=True),
    Shape((4, 4, 6), "all"),
    Shape(is_sealed=True),
    Shape((4, 6), "both families", is_sealed=True),
    Shape(is_unicast=True, is_sealed=True),
    Shape((4, 4), "both", is_contrary=True),
)


def _shape(dice: random.Random) -> Shape:
    return dice.choice(SHAPES)


def _policy(dice: random.Random, interval: float) -> Preempt:
    policies: list[Preempt] = [Always(), Always(), Never(), After(3 * interval)]
    return dice.choice([*policies, WhenSynced(2.0, unclean=3.0)])

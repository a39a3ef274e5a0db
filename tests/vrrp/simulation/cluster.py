"""What a cluster is told: the orders of every host, by dice."""

import random
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from tests.vrrp.simulation.kernel import INTERFACE

from libra_vrrp.announce import Garp
from libra_vrrp.codec import OWNER
from libra_vrrp.lease import Terms
from libra_vrrp.orders import Instance, Place
from libra_vrrp.router import After, Always, Never, Preempt, WhenSynced

PRIORITIES = (50, 100, 100, 101, 150, 200, 254)
MEMBERS = (
    ("front", 51, IPv4Address("192.0.2.10")),
    ("inside", 52, IPv4Address("198.51.100.1")),
    ("third", 53, IPv4Address("203.0.113.1")),
)


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
    return [
        tuple(
            replace(
                template,
                name=name,
                vrid=vrid,
                places=(Place(INTERFACE, address),),
                interval=own,
                group=shape.group,
                priority=dice.choice(PRIORITIES) if shape.is_contrary else priority,
            )
            for name, vrid, address in MEMBERS[: shape.members]
        )
        for priority, own in zip(priorities, intervals, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Shape:
    """How many instances there are, in which group; in a contrary one priorities disagree."""

    members: int = 1
    group: str = ""
    is_contrary: bool = False


def _shape(dice: random.Random) -> Shape:
    alone = [Shape()] * 6
    grouped = [Shape(2, "both"), Shape(2, "both"), Shape(3, "all")]
    return dice.choice([*alone, Shape(2), *grouped, Shape(2, "both", is_contrary=True)])


def _policy(dice: random.Random, interval: float) -> Preempt:
    policies: list[Preempt] = [Always(), Always(), Never(), After(3 * interval), WhenSynced(2.0)]
    return dice.choice(policies)

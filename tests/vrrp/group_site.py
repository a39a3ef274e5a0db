"""Nodes whose virtual routers move together, on one network per member, under a virtual clock."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address

from libra_vrrp import group
from libra_vrrp.router import Always, Preempt, Router, advertisement
from libra_vrrp.states import (
    Advertise,
    Alarm,
    Effect,
    Elapsed,
    Enter,
    Heard,
    Initialize,
    Input,
    Master,
    Start,
    State,
)

DELAY = 0.002
"""Seconds an advertisement is under way."""


@dataclass
class Held:
    """A member as a node holds it."""

    router: Router
    state: State = field(default_factory=Initialize)


Node = dict[str, Held]
Arrival = tuple[float, int, str, Heard]


@dataclass
class Site:
    """`cut` names the networks on which nobody hears anybody."""

    nodes: list[Node]
    now: float = 0.0
    cut: set[str] = field(default_factory=set)
    flying: list[Arrival] = field(default_factory=list)
    entered: list[tuple[int, str, Enter]] = field(default_factory=list)
    said: list[tuple[int, str, Effect]] = field(default_factory=list)

    def give(self, who: int, member: str, given: Input) -> None:
        node = self.nodes[who]
        for move in group.step(node, member, given, self.now):
            node[move.member].state = move.state
            for effect in move.effects:
                self._perform(who, move.member, effect)

    def start(self, who: int) -> None:
        for member in self.nodes[who]:
            self.give(who, member, Start())

    def crash(self, who: int) -> None:
        for held in self.nodes[who].values():
            held.state = Initialize()

    def transfer(self, seconds: float) -> Iterator[float]:
        """Let time pass from event to event, and yield the time after each."""
        end = self.now + seconds
        while (event := self._next())[0] <= end:
            self.now = max(self.now, event[0])
            self._happen(event)
            yield self.now
        self.now = end

    def run(self, seconds: float) -> None:
        for _ in self.transfer(seconds):
            pass

    def masters(self, member: str) -> list[int]:
        """Return who is master of a member."""
        return [i for i, one in enumerate(self.nodes) if isinstance(one[member].state, Master)]

    def owners(self) -> dict[str, list[int]]:
        return {member: self.masters(member) for member in self.nodes[0]}

    def is_coherent(self) -> bool:
        """Say whether on every node all members are masters or none is."""
        return all(
            len({isinstance(held.state, Master) for held in node.values()}) == 1
            for node in self.nodes
        )

    def is_settled(self) -> bool:
        """Say whether each node's members are all in one state and one node has them all."""
        same = all(len({type(held.state) for held in node.values()}) == 1 for node in self.nodes)
        owners = list(self.owners().values())
        return same and all(each == owners[0] and len(each) == 1 for each in owners)

    def _perform(self, who: int, member: str, effect: Effect) -> None:
        self.said.append((who, member, effect))
        match effect:
            case Advertise(priority=priority) if member not in self.cut:
                router = self.nodes[who][member].router
                heard = Heard(advertisement(router, priority), router.address)
                for other in range(len(self.nodes)):
                    if other != who:
                        self.flying.append((self.now + DELAY, other, member, heard))
            case Enter():
                self.entered.append((who, member, effect))
            case Alarm(kind=kind):
                assert kind != "own_address"
            case _:
                pass

    def _next(self) -> Arrival | tuple[float, int, str]:
        dues = [
            (at, who, member)
            for who, node in enumerate(self.nodes)
            for member, at in group.deadlines(states(node)).items()
            if at is not None
        ]
        timer = min(dues, default=(float("inf"), 0, ""))
        first = min(self.flying, key=lambda arrival: arrival[0], default=None)
        return first if first is not None and first[0] <= timer[0] else timer

    def _happen(self, event: Arrival | tuple[float, int, str]) -> None:
        match event:
            case (_, who, member, heard):
                self.flying.remove(event)
                self.give(who, member, heard)
            case (_, who, member):
                self.give(who, member, Elapsed())


def states(node: Mapping[str, Held]) -> dict[str, State]:
    return {member: held.state for member, held in node.items()}


def site(
    *priorities: int,
    members: tuple[str, ...] = ("inside", "outside"),
    preempt: Preempt | None = None,
    interval: float = 1.0,
    crossed: bool = False,
) -> Site:
    """Return nodes of these priorities, not started; `crossed` turns the order of addresses."""
    nodes: list[Node] = []
    for index, priority in enumerate(priorities):
        node: Node = {}
        for network, member in enumerate(members):
            host = 200 - index if crossed and network % 2 else index + 1
            router = Router(
                vrid=51 + network,
                priority=priority,
                address=IPv4Address(f"10.{network}.0.{host}"),
                addresses=(IPv4Address(f"192.0.{network}.10"),),
                interval=interval,
                preempt=preempt or Always(),
                joint=True,
            )
            node[member] = Held(router)
        nodes.append(node)
    return Site(nodes)


def started(made: Site) -> Site:
    """Start every node and let it settle."""
    for who in range(len(made.nodes)):
        made.start(who)
    made.run(10.0)
    return made


def change(made: Site, who: int, member: str, **parameters: object) -> None:
    """Change parameters of one router."""
    held = made.nodes[who][member]
    held.router = replace(held.router, **parameters)  # type: ignore[arg-type]  # as the test names


def lose(made: Site, dice: random.Random, share: float) -> None:
    """Lose a share of what is under way."""
    made.flying = [arrival for arrival in made.flying if dice.random() >= share]

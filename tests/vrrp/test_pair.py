"""Two machines wired back to back under a virtual clock, with transfer, drop and partition.

What the protocol promises: while two routers can hear each other, they are both masters for no
longer than one advertisement takes; and after a heal exactly one is master, the one with the
right. The seed of a failing run is in the test's id.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address

import pytest

from libra_vrrp.fsm import deadline, step
from libra_vrrp.router import Always, Never, Preempt, Router, advertisement, patience
from libra_vrrp.states import (
    Advertise,
    Elapsed,
    Fail,
    Heard,
    Initialize,
    Input,
    LeaseLost,
    Master,
    Recover,
    Start,
    State,
    Stop,
    Yield,
)

DELAY = 0.002
"""Seconds an advertisement is under way."""


@dataclass
class Wire:
    """A network of routers: what each one says reaches the others that it is connected to."""

    routers: list[Router]
    states: list[State] = field(default_factory=list)
    now: float = 0.0
    connected: bool = True
    flying: list[tuple[float, int, Heard]] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.states = [Initialize() for _ in self.routers]

    def give(self, who: int, given: Input) -> None:
        self.states[who], effects = step(self.routers[who], self.states[who], given, self.now)
        for effect in effects:
            if isinstance(effect, Advertise) and self.connected:
                self._send(who, effect.priority)

    def transfer(self, seconds: float) -> Iterator[float]:
        """Let time pass from event to event, and yield the time after each."""
        end = self.now + seconds
        while (event := self._next())[0] <= end:
            self.now = max(self.now, event[0])
            self._happen(event[1])
            yield self.now
        self.now = end

    def run(self, seconds: float) -> None:
        for _ in self.transfer(seconds):
            pass

    def drop(self) -> None:
        """Lose everything under way."""
        self.flying.clear()

    def partition(self) -> None:
        self.connected = False
        self.drop()

    def heal(self) -> None:
        self.connected = True

    def masters(self) -> list[int]:
        return [i for i, state in enumerate(self.states) if isinstance(state, Master)]

    def _send(self, who: int, priority: int) -> None:
        router = self.routers[who]
        heard = Heard(advertisement(router, priority), router.address)
        for other in range(len(self.routers)):
            if other != who:
                self.flying.append((self.now + DELAY, other, heard))

    def _next(self) -> tuple[float, int | tuple[float, int, Heard]]:
        dues = [(at, who) for who, s in enumerate(self.states) if (at := deadline(s)) is not None]
        timer = min(dues, default=(float("inf"), 0))
        if self.flying and (first := min(self.flying, key=lambda f: f[0]))[0] <= timer[0]:
            return first[0], first
        return timer

    def _happen(self, event: int | tuple[float, int, Heard]) -> None:
        if isinstance(event, int):
            self.give(event, Elapsed())
        else:
            self.flying.remove(event)
            self.give(event[1], event[2])


def pair(interval: float = 1.0, preempt: Preempt | None = None) -> Wire:
    """Return routers of priority 150 and 100, started."""
    routers = [
        Router(
            vrid=51,
            priority=priority,
            address=IPv4Address(f"10.9.0.{host}"),
            addresses=(IPv4Address("192.0.2.10"),),
            interval=interval,
            preempt=preempt or Always(),
        )
        for host, priority in ((1, 150), (2, 100))
    ]
    wire = Wire(routers)
    wire.give(0, Start())
    wire.give(1, Start())
    return wire


def test_the_higher_priority_is_elected() -> None:
    wire = pair()
    wire.run(10.0)
    assert wire.masters() == [0]


def test_an_orderly_stop_hands_over_within_the_skew() -> None:
    wire = pair()
    wire.run(10.0)
    wire.give(0, Stop())
    wire.run(DELAY + (256 - 100) / 256 + 0.001)
    assert wire.masters() == [1]


@pytest.mark.parametrize("interval", [0.01, 0.1, 1.0])
def test_a_dead_master_is_replaced_within_three_intervals_and_the_skew(interval: float) -> None:
    wire = pair(interval)
    wire.run(10.0)
    wire.states[0] = Initialize()
    wire.run(patience(wire.routers[1], interval) + DELAY)
    assert wire.masters() == [1]


def test_a_partition_makes_two_masters_and_the_heal_leaves_the_right_one() -> None:
    wire = pair()
    wire.run(10.0)
    wire.partition()
    wire.run(10.0)
    assert wire.masters() == [0, 1]
    wire.heal()
    wire.run(1.0 + DELAY)
    assert wire.masters() == [0]


def test_a_single_lost_advert_changes_nothing() -> None:
    wire = pair()
    wire.run(10.0)
    for _ in wire.transfer(2.0):
        wire.drop()
    assert wire.masters() == [0]
    wire.run(5.0)
    assert wire.masters() == [0]


def test_without_preemption_the_working_master_stays() -> None:
    wire = pair(preempt=Never())
    wire.run(10.0)
    wire.give(0, Fail("eth0"))
    wire.run(10.0)
    wire.give(0, Recover("eth0"))
    wire.run(10.0)
    assert wire.masters() == [1]


def test_an_operators_failover_holds_and_then_returns() -> None:
    wire = pair()
    wire.run(10.0)
    wire.give(0, Yield(60.0))
    wire.run(59.0)
    assert wire.masters() == [1]
    wire.run(10.0)
    assert wire.masters() == [0]


def test_routers_with_different_intervals_follow_the_master() -> None:
    wire = pair()
    wire.routers[0] = replace(wire.routers[0], interval=5.0)
    for _ in wire.transfer(100.0):
        assert wire.masters() != [0, 1] or wire.now < 10.0
    assert wire.masters() == [0]


@pytest.mark.parametrize("seed", range(200))
def test_whatever_happens_two_masters_that_hear_each_other_are_brief(seed: int) -> None:
    dice = random.Random(seed)
    policies: list[Preempt] = [Always(), Never()]
    wire = pair(dice.choice([0.01, 0.1, 1.0]), dice.choice(policies))
    interval = wire.routers[0].interval
    together_since: float | None = None
    for _ in range(60):
        mishap(wire, dice)
        for now in wire.transfer(dice.uniform(0, 6 * interval)):
            together = wire.connected and len(wire.masters()) == 2
            together_since = (together_since or now) if together else None
            assert together_since is None or now - together_since <= interval + DELAY
        if not wire.connected:
            together_since = None
    wire.heal()
    for who in (0, 1):
        wire.give(who, Recover("eth0"))
    wire.run(10 * interval)
    assert len(wire.masters()) == 1
    if wire.routers[0].preempt == Always():
        wire.run(70.0)
        assert wire.masters() == [0]


def mishap(wire: Wire, dice: random.Random) -> None:
    who = dice.randrange(2)
    match dice.randrange(8):
        case 0:
            wire.partition()
        case 1 | 2:
            wire.heal()
        case 3:
            wire.give(who, Fail("eth0"))
        case 4 | 5:
            wire.give(who, Recover("eth0"))
        case 6:
            wire.give(who, Yield(dice.uniform(0, 60)))
        case _:
            wire.give(who, LeaseLost())

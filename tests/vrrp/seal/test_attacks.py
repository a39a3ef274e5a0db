"""Every attack of docs/threat-model.md against the machine, under a virtual clock.

The nodes are production's state machine, codec and seal; the attacker records all that is said,
holds back what he likes and says what he likes to whom he likes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address

import pytest

from libra_vrrp.codec import GROUP, Datagram
from libra_vrrp.codec import decode as decode_message
from libra_vrrp.fsm import deadline, step
from libra_vrrp.router import Router, advertisement, datagrams, patience
from libra_vrrp.seal.conversation import Conversation, begin, unwrap, wrap
from libra_vrrp.seal.datagram import Session, decode, is_sealed
from libra_vrrp.seal.hearing import KEPT
from libra_vrrp.seal.names import context, sender
from libra_vrrp.seal.outcome import Dropped, Opened, Reason, alarm
from libra_vrrp.seal.ring import Ring
from libra_vrrp.states import (
    Advertise,
    Backup,
    Elapsed,
    Heard,
    Initialize,
    Input,
    Master,
    Start,
    State,
)

KEY, OTHER = bytes(range(32)), bytes(range(32, 64))
FRONT = context("front", 51, 4)
DELAY = 0.001
VIP = IPv4Address("192.0.2.10")


@dataclass
class Node:
    """A director: `memory` is its state file; what it says is collected in `out`."""

    name: str
    address: IPv4Address
    priority: int
    keys: tuple[bytes, ...] = (KEY,)
    memory: dict[bytes, int] = field(default_factory=dict)
    start: int = 0
    salts: int = 0
    clock: float = 0.0
    """How far this node's clock is from the world's."""
    dropped: list[Reason] = field(default_factory=list)
    out: list[bytes] = field(default_factory=list)
    state: State = field(default_factory=Initialize)
    talk: Conversation | None = None
    said: int = 0

    @property
    def router(self) -> Router:
        return Router(51, self.priority, self.address, (VIP,), 1.0)

    def boot(self, now: float) -> None:
        """Start with the next start counter and salt of its own."""
        self.start, self.salts = self.start + 1, self.salts + 1
        salt = self.name.encode() + self.salts.to_bytes(15)
        self.talk = begin(Session(sender(self.name), self.start, salt), 1.0, now)
        self.state = Initialize()
        self.give(Start(), now)

    def kill(self) -> None:
        self.talk, self.state = None, Initialize()

    def give(self, given: Input, now: float) -> None:
        self.state, effects = step(self.router, self.state, given, now)
        for effect in effects:
            if isinstance(effect, Advertise):
                self.say(datagrams(self.router, effect.priority)[0].message, now)

    def say(self, message: bytes, now: float) -> None:
        assert self.talk is not None
        self.said += 1
        challenge = self.name.encode() + self.said.to_bytes(7)
        ring = Ring(FRONT, self.keys)
        self.talk, datagram = wrap(self.talk, ring, self.address.packed, message, challenge, now)
        self.out.append(datagram)

    def highest(self, who: bytes) -> int:
        return self.memory.get(who, 0)

    def hear(self, datagram: bytes, source: IPv4Address, now: float) -> None:
        if self.talk is None:
            return
        if not is_sealed(datagram):
            self.dropped.append(Reason.PLAIN)
            return
        ring = Ring(FRONT, self.keys)
        self.talk, outcome = unwrap(self.talk, ring, source.packed, datagram, self.highest, now)
        match outcome:
            case Opened(message=message, session=session):
                proven = max(self.highest(session.sender), session.start)
                self.memory[session.sender] = proven
                if message:
                    received = decode_message(Datagram(source, GROUP[4], message))
                    self.give(Heard(received.advertisement, source), now)
            case Dropped(reason=reason):
                self.dropped.append(reason)
        if outcome.hurry:
            is_master = isinstance(self.state, Master)
            advert = datagrams(self.router, self.router.priority)[0].message
            self.say(advert if is_master else b"", now)

    def due_at(self) -> float:
        at = deadline(self.state)
        dues = [] if at is None else [at]
        return min([*dues, *([] if self.talk is None else [self.talk.due_at])], default=1e9)

    def tick(self, now: float) -> None:
        at = deadline(self.state)
        if at is not None and now >= at:
            self.give(Elapsed(), now)
        if self.talk is not None and now >= self.talk.due_at:
            self.say(b"", now)


@dataclass
class World:
    """Two directors, the wire between them, and the attacker's recording of it."""

    a: Node = field(default_factory=lambda: Node("a", IPv4Address("10.0.0.2"), 150))
    b: Node = field(default_factory=lambda: Node("b", IPv4Address("10.0.0.3"), 100))
    now: float = 0.0
    flying: list[tuple[float, Node, Node, bytes]] = field(default_factory=list)
    recorded: list[tuple[Node, bytes]] = field(default_factory=list)
    held: list[tuple[Node, Node, bytes]] = field(default_factory=list)
    holds: bool = False

    def run(self, seconds: float) -> None:
        for _ in self.moments(seconds):
            pass

    def moments(self, seconds: float) -> Iterator[float]:
        end = self.now + seconds
        self._send()
        while (at := self._next()) <= end:
            self.now = max(self.now, at)
            for flight in [one for one in self.flying if one[0] <= self.now]:
                self.flying.remove(flight)
                flight[2].hear(flight[3], flight[1].address, self.now + flight[2].clock)
            for node in (self.a, self.b):
                node.tick(self.now + node.clock)
            self._send()
            yield self.now
        self.now = end

    def longest_with_two_masters(self, seconds: float) -> float:
        longest, began = 0.0, None if len(self.masters()) < 2 else self.now
        for now in self.moments(seconds):
            longest = longest if began is None else max(longest, now - began)
            began = (began or now) if len(self.masters()) > 1 else None
        return longest

    def inject(self, victim: Node, source: IPv4Address, datagram: bytes) -> None:
        victim.hear(datagram, source, self.now + victim.clock)
        self._send()

    def masters(self) -> list[str]:
        return [one.name for one in (self.a, self.b) if isinstance(one.state, Master)]

    def _next(self) -> float:
        return min(
            [one[0] for one in self.flying]
            + [node.due_at() - node.clock for node in (self.a, self.b)]
        )

    def _send(self) -> None:
        for ours, theirs in ((self.a, self.b), (self.b, self.a)):
            for datagram in ours.out:
                self.recorded.append((ours, datagram))
                if self.holds:
                    self.held.append((ours, theirs, datagram))
                else:
                    self.flying.append((self.now + DELAY, ours, theirs, datagram))
            ours.out.clear()


@pytest.fixture
def world() -> World:
    """Return a running pair: a is master, b its backup."""
    found = World()
    found.a.boot(0.0)
    found.b.boot(0.0)
    found.run(10.3)
    assert found.masters() == ["a"]
    assert isinstance(found.b.state, Backup)
    found.a.dropped.clear()
    found.b.dropped.clear()
    return found


def adverts_of(world: World, node: Node) -> list[bytes]:
    """Return what was recorded of a node, most of it adverts."""
    return [datagram for one, datagram in world.recorded if one is node]


def alarms(node: Node) -> set[str]:
    return {raised[0] for reason in node.dropped if (raised := alarm(reason)) is not None}


def test_a_healthy_pair_drops_nothing_and_raises_no_alarm(world: World) -> None:
    world.run(100.0)
    assert (world.a.dropped, world.b.dropped, world.masters()) == ([], [], ["a"])


def test_start_up_costs_no_time_and_raises_no_alarm() -> None:
    world = World()
    world.a.boot(0.0)
    world.run(10.0)
    world.b.boot(world.now)
    world.run(0.01)
    assert isinstance(world.b.state, Backup)
    assert world.b.state.master == world.a.address
    assert alarms(world.a) | alarms(world.b) == set()


@pytest.mark.parametrize("octet", range(0, 100, 3))
def test_forged(world: World, octet: int) -> None:
    """One octet changed anywhere in an advert: dropped; the checksum's place is nobody's."""
    last = bytearray(adverts_of(world, world.a)[-1])
    last[octet % len(last)] ^= 1
    before = world.b.state
    world.inject(world.b, world.a.address, bytes(last))
    assert world.b.state == before
    assert len(world.b.dropped) == 1


def test_forged_with_a_made_up_tag(world: World) -> None:
    last = adverts_of(world, world.a)[-1]
    before = world.b.state
    world.inject(world.b, world.a.address, last[:40] + (10**6).to_bytes(8) + last[48:])
    assert (world.b.state, world.b.dropped) == (before, [Reason.FORGED])
    assert alarms(world.b) == {"auth"}


def test_replayed_at_once(world: World) -> None:
    last = adverts_of(world, world.a)[-1]
    before = world.b.state
    world.inject(world.b, world.a.address, last)
    assert (world.b.state, world.b.dropped) == (before, [Reason.REPLAYED])
    assert alarms(world.b) == {"replay"}


def test_replayed_under_another_source_address(world: World) -> None:
    world.inject(world.b, IPv4Address("10.0.0.9"), adverts_of(world, world.a)[-1])
    assert world.b.dropped == [Reason.FORGED]


@pytest.mark.parametrize("remembers", [True, False], ids=["with its file", "its file lost"])
def test_replayed_to_a_freshly_started_backup_after_the_master_died(
    world: World, *, remembers: bool
) -> None:
    """What b could not hear while it was down is new to it, and still nothing to it."""
    world.b.kill()
    world.run(100.0)
    unheard = adverts_of(world, world.a)[-90:]
    world.a.kill()
    if not remembers:
        world.b.memory.clear()
    world.b.boot(world.now)
    started = world.now
    for datagram in unheard:
        world.inject(world.b, world.a.address, datagram)
        world.run(0.1)
    assert world.masters() == ["b"]
    assert isinstance(world.b.state, Master)
    assert world.b.state.since - started <= patience(world.b.router, 1.0) + DELAY
    assert alarms(world.b) == {"replay"}


def test_the_same_replay_without_seals_keeps_the_addresses_without_an_owner() -> None:
    """The attack is real: this is what plain VRRP does."""
    b = Node("b", IPv4Address("10.0.0.3"), 100)
    b.state, _ = step(b.router, Initialize(), Start(), 0.0)
    dead = advertisement(Router(51, 150, IPv4Address("10.0.0.2"), (VIP,), 1.0))
    for now in range(100):
        b.state, _ = step(b.router, b.state, Heard(dead, IPv4Address("10.0.0.2")), float(now))
        b.state, _ = step(b.router, b.state, Elapsed(), now + 0.9)
    assert isinstance(b.state, Backup)


def test_delayed_beyond_the_bound(world: World) -> None:
    """The attacker cuts the wire, keeps what is said, and plays it when a is dead."""
    world.holds = True
    world.run(3.0)
    held = [one[2] for one in world.held if one[0] is world.a]
    world.a.kill()
    world.run(KEPT + 1.0)
    assert world.masters() == ["b"]
    world.b.dropped.clear()
    before = world.b.state
    for datagram in held:
        world.inject(world.b, world.a.address, datagram)
    assert world.b.state == before
    assert world.b.dropped == [Reason.STALE] * len(held)
    assert alarms(world.b) == {"replay"}


def test_delayed_within_the_bound_holds_a_backup_no_longer_than_the_bound(world: World) -> None:
    """The worst that delaying can do: each datagram late, none of them later than the bound."""
    world.holds = True
    world.run(2.5)
    died = world.now
    world.a.kill()
    for _, _, datagram in [one for one in world.held if one[0] is world.a]:
        world.run(1.0)
        world.inject(world.b, world.a.address, datagram)
    world.run(20.0)
    assert isinstance(world.b.state, Master)
    assert world.b.state.since - died <= KEPT * 1.0 + patience(world.b.router, 1.0)


def test_a_short_delay_and_a_reordering_raise_no_alarm(world: World) -> None:
    world.holds = True
    world.run(2.0)
    world.holds = False
    for ours, theirs, datagram in reversed(world.held):
        world.inject(theirs, ours.address, datagram)
    world.run(20.0)
    assert world.masters() == ["a"]
    assert alarms(world.a) | alarms(world.b) == set()


def test_wrong_key(world: World) -> None:
    world.b.keys = (OTHER,)
    before = world.b.state
    world.inject(world.b, world.a.address, adverts_of(world, world.a)[-1])
    assert (world.b.state, world.b.dropped) == (before, [Reason.KEY])
    assert alarms(world.b) == {"auth"}


def test_truncated_anywhere(world: World) -> None:
    last = adverts_of(world, world.a)[-1]
    before = world.b.state
    for length in range(2, len(last)):
        world.inject(world.b, world.a.address, last[:length])
    assert world.b.state == before
    assert set(world.b.dropped) == {Reason.TRUNCATED, Reason.FORGED}


def test_plain_advert_injected(world: World) -> None:
    """Priority 255 in clear, as every VRRP router would obey it."""
    forged = Router(51, 255, IPv4Address("10.0.0.200"), (VIP,), 1.0)
    before = world.a.state
    (said,) = datagrams(forged, forged.priority)
    world.inject(world.a, IPv4Address("10.0.0.200"), said.message)
    assert (world.a.state, world.a.dropped) == (before, [Reason.PLAIN])
    assert alarms(world.a) == {"auth"}


@pytest.mark.parametrize("lost", [0, 1, 7], ids=["none", "the last write", "seven writes"])
def test_nonce_reuse_after_a_crash(lost: int) -> None:
    """A crash between send and persist sets the start back: no key and nonce is used again."""
    world = World()
    world.a.boot(0.0)
    for _ in range(8):
        world.run(3.0)
        world.a.kill()
        world.a.boot(world.now)
    world.a.start -= lost
    world.run(3.0)
    world.a.kill()
    world.a.boot(world.now)
    world.run(10.0)
    headers = [decode(datagram)[0] for datagram in adverts_of(world, world.a)]
    spent = [(one.session, one.counter) for one in headers]
    assert len(spent) > 20
    assert len(set(spent)) == len(spent)


def test_state_file_of_a_master_lost(world: World) -> None:
    """Its starts begin again: its peer says so and challenges it, and they agree as ever."""
    for _ in range(3):
        world.a.kill()
        world.run(0.5)
        world.a.boot(world.now)
        world.run(10.0)
    world.a.kill()
    world.a.start, world.a.memory = 0, {}
    world.b.dropped.clear()
    world.a.boot(world.now)
    assert world.longest_with_two_masters(30.0) <= 3 * DELAY
    assert world.masters() == ["a"]
    assert alarms(world.b) == {"replay"}


def test_state_file_of_a_backup_lost_and_old_starts_replayed(world: World) -> None:
    old = adverts_of(world, world.a)[-5:]
    world.a.kill()
    world.run(10.0)
    world.a.boot(world.now)
    world.run(10.0)
    world.b.kill()
    world.b.memory.clear()
    world.b.boot(world.now)
    world.a.kill()
    for datagram in old:
        world.inject(world.b, world.a.address, datagram)
        world.run(1.0)
    assert world.masters() == ["b"]


@pytest.mark.parametrize("seconds", [-1e6, 1e6])
def test_clock_set_back(seconds: float) -> None:
    """Clocks that disagree, and one that begins anew with its host, are no input of anything."""
    world = World()
    world.b.clock = seconds
    world.a.boot(0.0)
    world.b.boot(world.b.clock)
    world.run(10.3)
    world.a.kill()
    world.a.clock = 2 * seconds
    world.a.boot(world.now + world.a.clock)
    world.b.dropped.clear()
    world.run(20.0)
    assert world.masters() == ["a"]
    assert alarms(world.b) == set()


def test_a_reflected_datagram_is_not_a_peer(world: World) -> None:
    before = world.a.state
    world.inject(world.a, world.a.address, adverts_of(world, world.a)[-1])
    assert (world.a.state, world.a.dropped) == (before, [Reason.OWN])


def test_a_recorded_challenge_makes_nobody_talk_without_end(world: World) -> None:
    """All that a flood of recordings gets out of a director is a few datagrams an interval."""
    asked = [datagram for one, datagram in world.recorded if one is world.b]
    world.b.kill()
    count = len(adverts_of(world, world.a))
    for _ in range(50):
        for datagram in asked:
            world.inject(world.a, world.b.address, datagram)
    assert len(adverts_of(world, world.a)) - count <= 1


def test_a_rolling_key_change_moves_nobody(world: World) -> None:
    """New key added, switched, old key retired; each step on one node 5 s after the other."""
    for keys in ((KEY, OTHER), (OTHER, KEY), (OTHER,)):
        for node in (world.a, world.b):
            node.keys = keys
            for _ in world.moments(5.0):
                assert world.masters() == ["a"]
    assert (world.a.dropped, world.b.dropped) == ([], [])

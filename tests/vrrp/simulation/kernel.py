"""A host's kernel, as far as leased addresses go, and the rules beside them, which never expire.

It takes an address back when its lifetime is over, up to `lease.EARLY` before and `OVERSHOOT`
after; it carries requests out one at a time and holds them up while another process has its RTNL
lock, expiry included (net/ipv4/devinet.c: check_lifetime). It refuses, and its answers get lost.
"""

import random
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias, assert_never

from tests.vrrp.simulation.engine import Clock, Engine

from libra_vrrp import lease
from libra_vrrp.interfaces import Interfaces, fold
from libra_vrrp.renewal import UNKNOWN, Add, Remove, Sweep
from libra_vrrp.routing import Entry, is_of
from libra_vrrp.rtnetlink import AddressGone, AddressHeld, IpAddress, LinkHeld, Said, Target

INDEX: Final = 2
INTERFACE: Final = "eth0"
OVERSHOOT: Final = {4: 0.4, 6: 1.0}
"""Seconds by which an expiry may come late (seen on Linux 6.1; for IPv6 see `lease.EARLY`)."""
SERVICE: Final = 0.01
"""Seconds that a request takes at most when nobody holds the lock."""
ANSWER_LOST: Final = 5.0
"""Seconds after which production gives an answer up."""


@dataclass(frozen=True, slots=True)
class Lay:
    """Have these entries; `done` is told which errno each had."""

    entries: tuple[Entry, ...]


Request: TypeAlias = Add | Remove | Lay | Sweep


class Kernel:
    """Addresses of one interface; `said` is told of every change, as rtnetlink tells."""

    def __init__(
        self, engine: Engine, dice: random.Random, clock: Clock, own: Iterable[IpAddress]
    ) -> None:
        self.said: Callable[[Said], None] = lambda _: None
        self.stuck_until = 0.0
        self.silent_until = 0.0
        self.under_way = 0
        self.errno = 0
        self.refused: frozenset[IpAddress] = frozenset()
        self.loses_answers = False
        self.on_expiry: Callable[[IpAddress], None] = lambda _: None
        self._engine = engine
        self._dice = dice
        self._clock = clock
        self._own = [AddressHeld(INDEX, one, 24 if one.version == 4 else 64) for one in own]
        self._mac = b"\2\0\0\0\0" + self._own[0].address.packed[-1:]
        self._leases: dict[IpAddress, int] = {}
        self._entries: set[Entry] = set()
        self._generation = self._boot = 0
        self.up = True

    def holds(self, address: IpAddress) -> bool:
        """Say whether the address is on the interface."""
        return address in self._leases

    def has(self, entry: Entry) -> bool:
        """Say whether it has a rule."""
        return entry in self._entries

    @property
    def leases(self) -> AbstractSet[IpAddress]:
        """Return every leased address."""
        return self._leases.keys()

    @property
    def is_troubled(self) -> bool:
        """Say whether requests are held up, refused or not answered."""
        busy_until = max(self.stuck_until, self.silent_until)
        return self._engine.now <= busy_until or self.errno != 0 or self.loses_answers

    def listing(self) -> Interfaces:
        """Return everything that a fresh process finds."""
        held = [_held(address, 1) for address in self._leases]
        return fold(Interfaces(), [self._link(), *self._own, *held])

    def set_link(self, *, up: bool) -> None:
        """Pull the cable or plug it in; addresses stay."""
        self.up = up
        self.said(self._link())

    def power_off(self) -> None:
        """Forget everything, and never answer what was asked."""
        self._boot += 1
        self.under_way, self.stuck_until = 0, 0.0
        self._leases.clear()
        self._entries.clear()
        self._engine.is_changed = True

    def enter(self, step: Request, done: Callable[[int], None]) -> None:
        """Carry a request out, whatever becomes of who asked; `done` gets the errno."""
        self.under_way += 1
        self._engine.at(
            max(self._engine.now, self.stuck_until) + self._dice.uniform(0.0002, SERVICE),
            partial(self._carry_out, step, done, self._boot),
        )

    def edit(self, address: IpAddress) -> None:
        """Have another process remove an address."""
        self._forget(address)

    def _carry_out(self, step: Request, done: Callable[[int], None], boot: int) -> None:
        if boot != self._boot:
            return
        self.under_way -= 1
        if self._engine.now < self.stuck_until:
            self.enter(step, done)
            return
        if not isinstance(step, Add):
            self._change(step)
            done(0)
        elif self.errno and any(one.address in self.refused for one in step.targets):
            done(self.errno)
        elif self.loses_answers:
            self._lose(step, done)
        else:
            self._add(step.targets, step.lifetime)
            done(0)

    def _change(self, step: Remove | Lay | Sweep) -> None:
        before = set(self._entries)
        match step:
            case Remove(targets=targets, entries=entries):
                for target in targets:
                    self._forget(target.address)
                self._entries -= set(entries)
            case Lay(entries=entries):
                self._entries |= set(entries)
            case Sweep(kept=kept):
                self._entries = {e for e in self._entries if any(is_of(e, one) for one in kept)}
            case _:
                assert_never(step)
        self._engine.is_changed |= before != self._entries

    def _lose(self, step: Add, done: Callable[[int], None]) -> None:
        if self._dice.random() < 0.5:
            self._add(step.targets, step.lifetime)
        patience = self._dice.choice([0.0, 0.0, ANSWER_LOST])
        self.silent_until = max(self.silent_until, self._engine.now + patience)
        self._engine.after(patience, partial(self._give_up, done))

    def _give_up(self, done: Callable[[int], None]) -> None:
        self._engine.disturb(f"{self._own[0].address}", "an answer of the kernel is given up")
        done(UNKNOWN)

    def _add(self, targets: tuple[Target, ...], lifetime: int) -> None:
        for target in targets:
            address = target.address
            if address not in self._leases:
                self._engine.is_changed = True
                self.said(_held(address, lifetime))
            self._generation += 1
            self._leases[address] = self._generation
            error = self._dice.uniform(-lease.EARLY, OVERSHOOT[address.version])
            expires = self._clock.world(self._clock.at(self._engine.now) + lifetime + error)
            self._engine.at(expires, partial(self._expire, address, self._generation))

    def _expire(self, address: IpAddress, generation: int) -> None:
        if self._leases.get(address) != generation:
            return
        if self._engine.now < self.stuck_until:
            self._engine.at(self.stuck_until, partial(self._expire, address, generation))
            return
        self.on_expiry(address)
        self._forget(address)

    def _forget(self, address: IpAddress) -> None:
        if self._leases.pop(address, None) is not None:
            self._engine.is_changed = True
            self.said(AddressGone(INDEX, address, address.max_prefixlen))

    def _link(self) -> LinkHeld:
        return LinkHeld(INDEX, INTERFACE, up=self.up, mac=self._mac)


def _held(address: IpAddress, lifetime: int) -> AddressHeld:
    return AddressHeld(INDEX, address, address.max_prefixlen, valid=lifetime)

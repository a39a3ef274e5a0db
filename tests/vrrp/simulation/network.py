"""One layer-2 network: what a host says reaches the others on its side, in its time, or not."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from tests.vrrp.simulation.engine import Engine

from libra_vrrp.codec import Datagram
from libra_vrrp.rtnetlink import IpAddress


@dataclass(slots=True)
class Weather:
    """Odds of what may happen to one datagram on its way to one host."""

    loss: float = 0.0
    twice: float = 0.0
    late: float = 0.0


@dataclass
class Network:
    """`delay` is the longest way; `lateness` that of a datagram that got stuck; both in seconds.

    `sides` says on which side of a partition each host is; `deaf` are (from, to) that do not hear.
    """

    engine: Engine
    dice: random.Random
    delay: float
    lateness: float
    weather: Weather = field(default_factory=Weather)
    receivers: list[Callable[[Datagram], None]] = field(default_factory=list)
    homes: list[frozenset[IpAddress]] = field(default_factory=list)
    sides: list[int] = field(default_factory=list)
    deaf: set[tuple[int, int]] = field(default_factory=set)

    def join(self, receive: Callable[[Datagram], None], addresses: Iterable[IpAddress]) -> int:
        """Plug a host with these addresses in; return its number."""
        self.receivers.append(receive)
        self.homes.append(frozenset(addresses))
        self.sides.append(0)
        return len(self.receivers) - 1

    def reaches(self, sender: int, other: int) -> bool:
        """Say whether one hears another now."""
        return self.sides[sender] == self.sides[other] and (sender, other) not in self.deaf

    def send(self, sender: int, datagram: Datagram) -> None:
        """Let a datagram go to everyone else, or to whose address it is for."""
        to = datagram.destination
        for other, homes in enumerate(self.homes):
            if other != sender and (to.is_multicast or to in homes):
                self._carry(sender, other, datagram)
                if self.dice.random() < self.weather.twice:
                    self._carry(sender, other, datagram)

    def _carry(self, sender: int, other: int, datagram: Datagram) -> None:
        if self.dice.random() < self.weather.loss:
            self.engine.disturb("network", f"lost on the way from {sender} to {other}")
            return
        if self.weather.late and self.dice.random() < self.weather.late:
            self.engine.disturb("network", f"stuck on the way from {sender} to {other}")
            late = partial(self._arrive, sender, other, datagram, late=True)
            self.engine.after(self.dice.uniform(self.delay, self.lateness), late)
            return
        self.engine.after(
            self.dice.uniform(0, self.delay), partial(self._arrive, sender, other, datagram)
        )

    def _arrive(self, sender: int, other: int, datagram: Datagram, *, late: bool = False) -> None:
        if not self.reaches(sender, other):
            return
        if late:
            self.engine.disturb("network", f"arrives late from {sender} at {other}")
        self.receivers[other](datagram)

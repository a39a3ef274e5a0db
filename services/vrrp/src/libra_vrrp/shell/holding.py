"""A master's hold on its addresses: the lease kept, the neighbours told."""

from dataclasses import replace
from enum import Enum, auto

from libra_vrrp import announce, lease
from libra_vrrp.orders import Instance, Place
from libra_vrrp.shell.addresses import UNKNOWN, Outcome, Remove, Renew, Target
from libra_vrrp.shell.ground import Ground


class Renewal(Enum):
    """What an outcome means to the holder."""

    FOREIGN = auto()
    LATE = auto()
    REFUSED = auto()
    UNKNOWN = auto()
    CONFIRMED = auto()


class Holding:
    """The addresses of one mastership, from `TakeAddresses` to `DropAddresses`."""

    def __init__(self, order: Instance, ground: Ground, token: int, now: float) -> None:
        self.order = order
        self._ground = ground
        self._token = token
        self._lease = lease.take(now)
        self._wanted = False
        self._schedule: announce.Schedule | None = None
        self.renew(now)

    def is_lost(self, now: float) -> bool:
        """Say whether the kernel may have taken the addresses back."""
        return lease.is_lost(self.order.terms, self._lease, now)

    def wake_at(self) -> float:
        """Return when the next renewal, announcement or fence is due."""
        at = lease.wake_at(self.order.terms, self._lease)
        burst = announce.due_at(self._schedule) if self._schedule else None
        return at if burst is None else min(at, burst)

    def tick(self, now: float) -> None:
        """Renew and announce what is due."""
        self.renew(now)
        self._announce(now)

    def renew(self, now: float) -> None:
        """Ask for a renewal if it is due and none is under way."""
        if not lease.is_due(self._lease, now):
            return
        terms = self.order.terms
        not_after = lease.fence_at(terms, self._lease)
        places = targets(self._ground, self.order.places)
        self._lease = lease.ask(terms, self._lease, now)
        renew = Renew(self.order.name, self._token, places, terms.duration, now, not_after)
        self._ground.work(renew)

    def take_in(self, outcome: Outcome, now: float) -> Renewal:
        """Note what became of a renewal; one of an earlier mastership has been undone already."""
        if outcome.renew.token != self._token:
            return Renewal.FOREIGN
        if outcome.late:
            return Renewal.LATE
        if outcome.errno == UNKNOWN:
            self._lease = lease.retry(self._lease)
            return Renewal.UNKNOWN
        if outcome.errno:
            return Renewal.REFUSED
        self._lease = lease.confirm(self._lease, outcome.renew.asked_at)
        if self._wanted:
            self.announce(now)
        return Renewal.CONFIRMED

    def announce(self, now: float) -> None:
        """Tell the neighbours, now or as soon as the kernel holds the addresses."""
        self._wanted = not self._lease.confirmed
        if self._lease.confirmed:
            self._schedule = announce.begin(self.order.garp, now)
            self._announce(now)

    def reorder(self, order: Instance, now: float) -> None:
        """Go on under another order; changed addresses are taken and announced at once."""
        changed = set(order.places) != set(self.order.places)
        self.order = order
        if changed:
            self._lease = replace(self._lease, renew_at=now, confirmed=False)
            self._wanted = True
            self.renew(now)

    def _announce(self, now: float) -> None:
        if self._schedule is None:
            return
        self._schedule, count = announce.advance(self._schedule, now)
        for _ in range(count):
            for place in self.order.places:
                link = self._ground.interfaces.named(place.interface)
                if link is not None and link.mac:
                    frame = announce.gratuitous_arp(link.mac, place.address)
                    self._ground.count("garp")
                    self._ground.arp(place.interface, frame)


def release(ground: Ground, places: tuple[Place, ...]) -> None:
    """Have leased addresses removed, whether they are there or not."""
    found = targets(ground, places)
    if found:
        ground.work(Remove(found))


def targets(ground: Ground, places: tuple[Place, ...]) -> tuple[Target, ...]:
    """Return where the places are; an address that the host holds for ever is not ours."""
    known = ground.interfaces
    found: list[Target] = []
    for place in places:
        link = known.named(place.interface)
        permanent = any(held.valid is None for held in known.holders(place.address))
        if link is not None and not permanent:
            found.append((link.index, place.address))
    return tuple(found)

"""A master's hold on its addresses: the lease kept, the neighbours told."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from enum import Enum, auto
from ipaddress import IPv4Address, IPv6Address
from itertools import cycle, islice
from typing import Final, assert_never

from libra_vrrp import announce, lease, vmacs
from libra_vrrp.orders import Instance, Place
from libra_vrrp.renewal import UNKNOWN, Laid, Outcome, Renew
from libra_vrrp.routing import Entry
from libra_vrrp.shell.ground import Ground
from libra_vrrp.shell.placing import reshaped, targets
from libra_vrrp.shell.releasing import release
from libra_vrrp.shell.sysctls import is_forwarding, prepare_interface
from libra_vrrp.shell.ways import Ways

AT_ONCE: Final = 64
"""Frames sent before the timers have their turn: a burst is to delay no advertisement."""


class Renewal(Enum):
    """What an outcome means to the holder: `COMPLETE` is confirmed with all that goes with it."""

    FOREIGN = auto()
    LATE = auto()
    REFUSED = auto()
    UNKNOWN = auto()
    CONFIRMED = auto()
    COMPLETE = auto()


class Holding:
    """The addresses of one mastership, from `TakeAddresses` to `DropAddresses`.

    `errno` is what the kernel refused one with.
    """

    def __init__(self, order: Instance, ground: Ground, token: int, now: float) -> None:
        self.order = order
        self._ground = ground
        self._token = token
        self._lease = lease.take(order.terms, now)
        self._ways = Ways(order.name, ground)
        self._wanted = self._was_confirmed = False
        self._schedule: announce.Schedule | None = None
        self._burst: Iterator[Place] = iter(())
        self._left = 0
        self._forwarding: frozenset[str] = frozenset()
        self._changed_at = now
        self._former: tuple[Place, ...] = ()
        self._going: tuple[Place, ...] = ()
        self.errno = 0
        self.renew(now)

    def is_lost(self, now: float) -> bool:
        """Say whether the kernel may have taken the addresses back."""
        return lease.is_lost(self._lease, now)

    @property
    def is_confirmed(self) -> bool:
        """Say whether the kernel ever confirmed a renewal, whatever the order named then."""
        return self._was_confirmed

    @property
    def until(self) -> float:
        """From when on we must not act as master, unless the kernel confirms once more."""
        return self._lease.fence_at

    @property
    def places(self) -> tuple[Place, ...]:
        """Every form in which the kernel may hold addresses of this mastership."""
        return *self.order.held, *self._former

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every route and rule that the kernel was asked for."""
        return self._ways.asked

    def shed(self, kept: Collection[Entry]) -> tuple[Entry, ...]:
        """Return which of them are not kept: they are to be removed, and are ours no more."""
        return self._ways.shed(kept)

    def wake_at(self) -> float:
        """Return when the next renewal, announcement or fence is due."""
        if self._left:
            return float("-inf")
        at = lease.wake_at(self._lease)
        burst = announce.due_at(self._schedule) if self._schedule else None
        return at if burst is None else min(at, burst)

    def tick(self, now: float) -> None:
        """Renew and announce what is due."""
        self.renew(now)
        self._announce(now)

    def renew(self, now: float) -> None:
        """Ask for a renewal if it is due and none is under way.

        Addresses go in another form with it: an IPv4 one is there in the new one before, of an IPv6
        one the kernel keeps the prefix length while it is there.
        """
        if not lease.is_due(self._lease, now):
            return
        terms = self.order.terms
        not_after = self._lease.fence_at
        for interface in {place.interface for place in self.order.held if _is_ipv4(place)}:
            prepare_interface(interface)
        places = targets(self._ground, self.order.held, self._former)
        entries = self._ways.wanted(self.order)
        left = tuple(one for one in self.entries if one not in entries)
        self._lease = lease.ask(terms, self._lease, now)
        vmac = vmacs.index(self.order.vmac, self._ground.interfaces)
        name, token, lifetime = self.order.name, self._token, terms.duration
        renew = Renew(name, token, places, lifetime, now, not_after, entries, vmac, left)
        self._let_go(tuple(place for place in self._going if not _is_ipv4(place)))
        self._ground.work(renew)
        self._let_go(tuple(filter(_is_ipv4, self._going)))
        self._going = ()

    def _let_go(self, places: tuple[Place, ...]) -> None:
        release(self._ground, places, beside=self.places)

    def take_in(self, outcome: Outcome | Laid, now: float) -> Renewal:
        """Note what became of a renewal; one asked for before a change says nothing of what is new.

        One of an earlier mastership has been undone already.
        """
        if outcome.renew.token != self._token:
            return Renewal.FOREIGN
        if isinstance(outcome, Laid):
            self._ways.take_in(outcome)
            return Renewal.COMPLETE
        if outcome.late:
            return Renewal.LATE
        if outcome.errno == UNKNOWN:
            self._lease = lease.retry(self._lease)
            return Renewal.UNKNOWN
        if outcome.errno:
            self.errno = outcome.errno
            return Renewal.REFUSED
        if outcome.renew.asked_at < self._changed_at:
            self._lease = lease.retry(self._lease)
            return Renewal.FOREIGN
        self._lease = lease.confirm(self._lease, outcome.renew.asked_at)
        self._was_confirmed = True
        if self._wanted:
            self.announce(now)
        return Renewal.CONFIRMED if outcome.renew.entries else Renewal.COMPLETE

    def announce(self, now: float) -> None:
        """Tell the neighbours, now or as soon as the kernel holds the addresses."""
        self._wanted = not self._lease.confirmed
        if self._lease.confirmed:
            self._schedule = announce.begin(self.order.garp, now)
            self._announce(now)

    def reorder(self, order: Instance, now: float) -> None:
        """Go on under another order; changed addresses are taken and announced at once.

        Other terms hold from the first renewal that is asked for under them, which is at once, or
        as soon as the one under way is done: until then addresses keep the prefix that they had.
        """
        changed = set(order.held) != set(self.order.held)
        is_due = changed or _beside(order) != _beside(self.order)
        former = reshaped(self.order, order)
        self._former = _but((*self._former, *former), order.held)
        self._going = _but((*self._going, *former), order.held)
        self.order = order
        if changed:
            self._lease = replace(self._lease, confirmed=False)
            self._wanted, self._changed_at = True, now
        if is_due:
            self._lease = replace(self._lease, renew_at=now)
            self.renew(now)

    def _announce(self, now: float) -> None:
        if self._schedule is None:
            return
        self._schedule, count = announce.advance(self._schedule, now)
        if count:
            self._begin_burst(count)
        part = min(self._left, AT_ONCE)
        self._left -= part
        for place in islice(self._burst, part):
            self._tell_neighbours(place)

    def _begin_burst(self, count: int) -> None:
        """Have `count` frames sent of each address, and look what the host is to neighbours."""
        places = self.order.held
        self._burst, self._left = cycle(places), count * len(places)
        names = {place.interface for place in places if not _is_ipv4(place)}
        self._forwarding = frozenset(filter(is_forwarding, names))

    def _tell_neighbours(self, place: Place) -> None:
        link = self._ground.interfaces.named(place.interface)
        if link is None or not link.mac:
            return
        match place.address:
            case IPv4Address() as address:
                what, frame = "garp", announce.gratuitous_arp(link.mac, address)
            case IPv6Address() as address:
                router = place.interface in self._forwarding
                frame = announce.neighbour_advertisement(link.mac, address, router=router)
                what = "na"
            case _:
                assert_never(place.address)
        sent = self._ground.announce(place.interface, frame, self.until)
        self._ground.count(what if sent else f"{what}_unsent")


def _is_ipv4(place: Place) -> bool:
    return isinstance(place.address, IPv4Address)


def _but(places: Iterable[Place], but: Collection[Place]) -> tuple[Place, ...]:
    return tuple(place for place in dict.fromkeys(places) if place not in but)


def _beside(order: Instance) -> tuple[object, ...]:
    """Return what else a change of calls for a renewal."""
    return order.terms, order.routes, order.rules, order.vmac


def drop(
    ground: Ground, order: Instance, entries: tuple[Entry, ...], holding: Holding | None
) -> None:
    """Have removed what an order comes to, and whatever else a mastership took before it."""
    places = order.held
    if holding is not None:
        places, entries = (*places, *holding.places), (*entries, *holding.entries)
    release(ground, places, entries, order.vmac)

"""The virtual routers of the node, kept as the file says that the reporter keeps."""

from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

from libra_vrrp import group, kept, lease, vmacs
from libra_vrrp.bequest import NEVER
from libra_vrrp.orders import Channel, Instance, Multicast
from libra_vrrp.parameters import require_sense
from libra_vrrp.renewal import Sweep
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.seal.coming import Change
from libra_vrrp.shell.ailments import ailments
from libra_vrrp.shell.ground import Ground
from libra_vrrp.shell.links import Links
from libra_vrrp.shell.postponing import identity, is_early, of_seals, postponed
from libra_vrrp.shell.releasing import release
from libra_vrrp.shell.remains import remains
from libra_vrrp.shell.say import log
from libra_vrrp.shell.sync_group import SyncGroup
from libra_vrrp.shell.virtual_router import VirtualRouter
from libra_vrrp.states import Covered, Master, Stop
from libra_vrrp.vmacs import Wanted

LAPSE: Final = 0.01
"""Seconds after which a fence that was looked at says nothing any more."""


class Roster:
    """Who runs; `died_at` is when the process before this one ended, on the monotonic clock.

    `unclean_at` is when the service began, if the one before it did not end in order.
    """

    def __init__(self, file: Path, died_at: float | None = None, unclean_at: float = NEVER) -> None:
        self.file = file
        self._died_at, self._unclean_at = died_at, unclean_at
        self._routers: dict[str, VirtualRouter] = {}
        self._hearers: dict[tuple[Channel, int], VirtualRouter] = {}
        self._waiting: list[VirtualRouter] = []
        self._postponed: tuple[Change, ...] = ()
        self._virtual: frozenset[IpAddress] = frozenset()
        self._is_swept = False

    def __iter__(self) -> Iterator[VirtualRouter]:
        """Return every virtual router."""
        return iter(self._routers.values())

    def get(self, name: str) -> VirtualRouter | None:
        """Return the virtual router of this name."""
        return self._routers.get(name)

    @property
    def is_settled(self) -> bool:
        """Whether every router has been started."""
        return not self._waiting

    def on(self, channel: Channel) -> list[VirtualRouter]:
        """Return the virtual routers that are spoken to on a channel."""
        return [one for one in self if one.order.channel == channel]

    def at(self, channel: Channel, vrid: int) -> VirtualRouter | None:
        """Return whom a datagram on a channel is for.

        A unicast router is also found on its interface, where nothing should be said to it.
        """
        return self._hearers.get((channel, vrid))

    def virtual(self) -> frozenset[IpAddress]:
        """Return every virtual address; in the midst of `reload` also those that go."""
        return self._virtual

    def turn(
        self, ready: Iterable[Callable[[float], None]], clock: Callable[[], float]
    ) -> list[float]:
        """Fence, hear what is ready, and only then let timers elapse; in every wake-up.

        A process that was stopped in the middle of it fences again before it goes on. Return how
        late each advertisement was that was due, in seconds.
        """
        fenced_at = self._fence(clock())
        for act in ready:
            now = clock()
            if now - fenced_at >= LAPSE:
                fenced_at = self._fence(now)
            act(now)
        now = clock()
        if now - fenced_at >= LAPSE:
            self._fence(now)
        return [late for one in self if (late := one.tick(now)) is not None]

    def _fence(self, now: float) -> float:
        for one in self:
            one.fence(now)
        return now

    def reload(self, ground: Ground, now: float) -> None:
        """Read the file again and disturb nothing that did not change; who is new waits to start.

        Masters that stay advertise before anything else happens, and an address that moves from
        one to another is released before it is taken. A seal that cannot be used yet is put off.
        """
        wanted = {one.name: one for one in self._read()}
        self._postponed, meanwhile = postponed([one.order for one in self], wanted, ground)
        wanted |= meanwhile
        virtual = frozenset(place.address for one in wanted.values() for place in one.held)
        self._virtual |= virtual
        stay = {
            name: order
            for name, order in wanted.items()
            if (running := self._routers.get(name)) and identity(running.order) == identity(order)
        }
        changed = [name for name, order in stay.items() if order != self._routers[name].order]
        for name in changed:
            self._routers[name].reconfigure(stay[name], now)
        gone = [one for one in self if one.name not in stay]
        _stop(gone, now)
        for one in gone:
            del self._routers[one.name]
        self._virtual = virtual
        ground.seals.order(wanted.values(), now, of_seals(self._postponed, ground))
        for name in changed:
            self._routers[name].retake(now)
        new = {name: order for name, order in wanted.items() if name not in stay}
        fresh = {n: VirtualRouter(order, ground, self._unclean_at) for n, order in new.items()}
        self._routers |= fresh
        self._hearers = {key: one for one in self for key in _heard_on(one.order)}
        self._waiting = [*filter(self._holds, self._waiting), *fresh.values()]
        self._regroup(now)

    def start(self, ground: Ground, links: Links, now: float) -> None:
        """Start those that wait, unless their socket is still under way.

        Where another process works in our place they start in fault, and recover when it ends.
        """
        if not all(is_early(each, ground) for each in self._postponed):
            self.reload(ground, now)
            links.look_at(now)
        self._claim(ground, links, now)
        late = {one.group for one in self._waiting if _is_early(one.order, ground, links)}
        ready = [one for one in self._waiting if one.group not in late]
        self._waiting = [one for one in self._waiting if one.group in late]
        adoptable = [one for one in ready if self._may_adopt(one, ground, now)]
        alone = {one.group for one in self if one not in adoptable}
        for one in sorted(ready, key=lambda one: not ailments(one.order, ground)):
            self._start(one, ground, now, adopt=one.group not in alone)
        for one in adoptable:
            if one.group not in alone and not isinstance(one.state, Master):
                release(ground, remains(one.order, ground), vmac=one.order.vmac)
        if self.is_settled:
            self._sweep(ground)

    def _claim(self, ground: Ground, links: Links, now: float) -> None:
        """Have the claim if there is a router; where that is news, all of them look again."""
        if not self._routers:
            return
        if ground.claim.take():
            for one in self:
                release(ground, () if isinstance(one.state, Master) else remains(one.order, ground))
                one.look(now)
        links.look_at(ground.claim.retry_at(now))

    def cover(self, coverage: float | None, now: float) -> None:
        """Know which share of the peer's connections is here."""
        for one in self:
            one.coverage = coverage
            one.give(Covered(coverage), now)

    def wanted_vmacs(self) -> frozenset[Wanted]:
        """Return the virtual MAC interfaces that routers have, or wait for."""
        return vmacs.wanted([*(one.order for one in self), *(new for _, new in self._postponed)])

    def stop(self, now: float, left: Collection[str] = ()) -> None:
        """Stop every router, in order, but for those that are left to a successor."""
        _stop([one for one in self if one.name not in left], now)

    def _start(self, router: VirtualRouter, ground: Ground, now: float, *, adopt: bool) -> None:
        """Start one: as master if its predecessor was just now, else without what that one left."""
        if ground.claim.rival is None:
            if not adopt:
                release(ground, remains(router.order, ground), vmac=router.order.vmac)
            router.look(now)
        router.start(now, adopt=adopt)

    def _sweep(self, ground: Ground) -> None:
        """Remove, once, the routes and rules of those before us that nobody has adopted."""
        if self._routers and ground.claim.rival is None and not self._is_swept:
            self._is_swept = True
            ground.work(Sweep(tuple(entry for one in self for entry in one.entries)))

    def _may_adopt(self, router: VirtualRouter, ground: Ground, now: float) -> bool:
        """Say whether our predecessor was just now master here, and all its addresses are."""
        if ground.claim.rival is not None or self._died_at is None:
            return False
        young = lease.may_adopt(router.order.interval, now - self._died_at)
        return young and len(remains(router.order, ground)) == len(router.order.held)

    def _regroup(self, now: float) -> None:
        """Put together who is to move together."""
        groups: dict[str, list[VirtualRouter]] = {}
        for one in self:
            groups.setdefault(one.order.group, []).append(one)
        alone = groups.pop("", [])
        for members in (*groups.values(), *([one] for one in alone)):
            together = SyncGroup(members)
            for one in members:
                one.group = together
            together.settle(now)

    def _read(self) -> tuple[Instance, ...]:
        try:
            found = kept.load_instances(self.file.read_bytes())
            require_sense(found)
        except FileNotFoundError:
            return ()
        except (OSError, ValueError) as wrong:
            log("the list of routers cannot be used, going on as before", "error", why=str(wrong))
            running = {one.name: one.order for one in self}
            return tuple((running | {new.name: new for _, new in self._postponed}).values())
        return found

    def _holds(self, router: VirtualRouter) -> bool:
        return self._routers.get(router.order.name) is router


def _is_early(order: Instance, ground: Ground, links: Links) -> bool:
    """Say whether the socket, or what the seal needs, is still under way."""
    opening = links.is_opening(order.channel) or ground.seals.is_opening(order)
    if order.vmac is None or ground.claim.rival is not None:
        return opening
    return opening or ground.vmacs.is_opening(order, ground.interfaces)


def _heard_on(order: Instance) -> tuple[tuple[Channel, int], ...]:
    everyone = Multicast(order.interface, order.family)
    return (everyone, order.vrid), (order.channel, order.vrid)


def _stop(routers: Iterable[VirtualRouter], now: float) -> None:
    """Stop routers; who is in fault comes last, for its end would set the others free."""
    for one in sorted(routers, key=lambda one: group.fails(one.state)):
        one.give(Stop(), now)

"""What the routers owe to the network once nothing disturbs them any more.

Every promise has a bound in seconds, counted from the last disturbance of the world, or from when
it began to be broken if that is later:

- `nobody`: a live router is there, and no host has all addresses (design §6: master-down, skew).
- `masters`: two routers that hear each other are both master (one advertisement).
- `owners`: two hosts that hear each other both own the addresses (the lease).
- `leftovers`: a host whose router works and is not master has the addresses, or rules that go with
  them (address work).
- `unlisted`: a host has an address of an earlier list (the lease, where nobody was there to read).
- `ruleless`: a master has not the rules.
- `hung`: a machine is stopped that is master, its guard is not, and the addresses are still there.
- `abandoned`: a machine died as master and none is in its place, and the addresses are still there.
- `unsettled`: not exactly one master, or not the one with the right.

A node that lost the first member of its group stands back for five intervals (libra_vrrp/group.py).
Where a kernel is in trouble, a master finds that out by its lease: `trouble` is added meanwhile.
- After `unsettled`, nobody changes state any more: no flap without a cause.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tests.vrrp.simulation.conduct import BrokenError
from tests.vrrp.simulation.engine import Engine
from tests.vrrp.simulation.host import Host
from tests.vrrp.simulation.kernel import OVERSHOOT, SERVICE
from tests.vrrp.simulation.network import Network
from tests.vrrp.simulation.process import OPENING

from libra_vrrp import guarding
from libra_vrrp.codec import OWNER
from libra_vrrp.orders import Instance
from libra_vrrp.router import After, Never, WhenSynced
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.states import Master

LONGEST = 3
"""Seconds of the longest lease that another list may bring."""

CLOCKS = 1.03
"""By how much clocks that run at different rates stretch a bound."""

Claim = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds after which a broken promise counts, by its name; `trouble` is what may be added."""

    nobody: float
    masters: float
    owners: float
    leftovers: float
    unlisted: float
    ruleless: float
    hung: float
    abandoned: float
    unsettled: float
    trouble: float


def bounds(orders: Sequence[Instance], delay: float, lateness: float) -> Bounds:
    """Derive the bounds of these orders, on a network of this delay, by RFC 9568 and design §6."""
    interval = max(one.interval for one in orders)
    wait = 4 * interval
    slack = delay + 4 * lateness + 6 * SERVICE
    every = max(LONGEST / 4, *(one.terms.every for one in orders))
    masters = interval + delay + slack
    overshoot = max(OVERSHOOT[one.family] for one in orders)
    lease = max(LONGEST, *(one.terms.duration for one in orders)) + overshoot + slack
    settle = _delays(orders) + interval + 2 * wait + 2 * slack
    trouble = wait + 2 * lease
    if any(one.group for one in orders):
        wait, settle = wait + 6 * interval, settle + 12 * interval
    if any(one.seal for one in orders):  # whoever was not heard for long is challenged first
        wait, settle, masters = wait + 2 * interval, settle + 4 * interval, masters + interval
    owners = max(lease, masters + slack)
    taken = max(wait, every) + slack
    hung = max(2.5 * interval, interval + guarding.SHORTEST) + guarding.SPARE + slack
    abandoned = guarding.SILENCE * interval + guarding.SPARE + slack
    return Bounds(
        nobody=CLOCKS * taken,
        masters=CLOCKS * masters,
        owners=CLOCKS * owners,
        leftovers=CLOCKS * (slack + OPENING),
        unlisted=CLOCKS * owners,
        ruleless=CLOCKS * taken,
        hung=CLOCKS * hung,
        abandoned=CLOCKS * abandoned,
        unsettled=CLOCKS * settle,
        trouble=CLOCKS * trouble,
    )


def _delays(orders: Sequence[Instance]) -> float:
    preempts = (one.preempt for one in orders)
    waits = [
        p.delay if isinstance(p, After) else max(p.deadline, p.unclean)
        for p in preempts
        if isinstance(p, After | WhenSynced)
    ]
    return max(one.start_delay for one in orders) + max(waits, default=0.0)


class Peace:
    """Watches over the hosts; `look` after each event, `judge` before the next."""

    def __init__(self, network: Network, hosts: Sequence[Host], bounds: Bounds) -> None:
        self._engine: Engine = network.engine
        self._network = network
        self._hosts = hosts
        self._bounds = bounds
        self._since: dict[Claim, float] = {}
        for host in hosts:
            host.on_change = self._changed

    def judge(self) -> None:
        """Raise `BrokenError` where a promise has been broken for too long."""
        now, disturbed_at = self._engine.now, self._engine.disturbed_at
        for (what, name, who), since in self._since.items():
            lasts = now - max(since, disturbed_at)
            if lasts > (bound := self._bound(what)):
                told = f"{what} for {lasts:.3f} s (bound {bound:.3f}) among {' '.join(who)}: {name}"
                raise BrokenError(told)

    def look(self) -> None:
        """Note which promises are broken now."""
        if not self._engine.is_changed:
            return
        self._engine.is_changed = False
        now, before = self._engine.now, self._since
        self._since = {claim: before.get(claim, now) for claim in self._broken()}

    def _broken(self) -> list[Claim]:
        if self._network.deaf:
            return []
        sides: defaultdict[int, list[Host]] = defaultdict(list)
        for host in self._hosts:
            if host.is_on and host.kernel.up:
                sides[self._network.sides[host.number]].append(host)
        return [
            (what, order.name, tuple(host.name for host in side))
            for side in sides.values()
            for order in side[0].orders
            for what in self._broken_promises(side, order)
            if what
        ]

    def _broken_promises(self, side: list[Host], order: Instance) -> list[str]:
        takers = [host for host in side if host.state(order.name) is not None]
        masters = [host for host in takers if isinstance(host.state(order.name), Master)]
        owners = [host for host in side if host.owns(order)]
        found: list[str] = []
        if takers and not any(host.owns_all(order) for host in owners):
            found.append("nobody")
        if len(masters) > 1:
            found.append("masters")
        if len(owners) > 1 and all(h.kernel.stuck_until <= self._engine.now for h in side):
            found.append("owners")
        if takers and (len(masters) != 1 or not self._has_right(masters[0], takers, order)):
            found.append("unsettled")
        if any(self._has_leftovers(host, order) for host in side):
            found.append("leftovers")
        found += {host.unguarded(order) for host in owners if not host.kernel.is_troubled}
        if any(host.kernel.leases - _listed(host) for host in side):
            found.append("unlisted")
        if any(not one.kernel.is_troubled and not one.has_rules(order) for one in masters):
            found.append("ruleless")
        return found

    def _has_leftovers(self, host: Host, order: Instance) -> bool:
        router = host.router(order.name)
        if router is None or host.kernel.is_troubled or host.is_contested:
            return False
        is_there = host.owns(order) or host.has_rules(order)
        return is_there and not isinstance(router.state, Master)

    def _has_right(self, master: Host, takers: list[Host], order: Instance) -> bool:
        """Say whether nobody outranks the master, unless the operator or `preempt` wants it so.

        Equal priorities leave each other alone; addresses only judge between two masters.
        """
        if any(host.is_held for host in takers):
            return True
        if order.group and not self._agree():
            return True
        best = max(host.priority(order.name) for host in takers)
        if isinstance(order.preempt, Never) and best < OWNER:
            return True
        return master.priority(order.name) == best

    def _agree(self) -> bool:
        """Say whether the members of a group order the hosts alike."""
        names = [one.name for one in self._hosts[0].orders]
        return all(len({host.priority(name) for name in names}) == 1 for host in self._hosts)

    def _bound(self, what: str) -> float:
        bound: float = getattr(self._bounds, what)
        is_troubled = any(host.kernel.is_troubled for host in self._hosts)
        return bound + self._bounds.trouble if is_troubled else bound

    def _changed(self, host: Host) -> None:
        if self._engine.calm > (bound := self._bound("unsettled")) and not self._network.deaf:
            quiet = f"after {self._engine.calm:.3f} s of quiet (bound {bound:.3f})"
            raise BrokenError(f"{host.name} changes its state {quiet}")


def _listed(host: Host) -> set[IpAddress]:
    return {place.address for one in host.orders for place in one.places}

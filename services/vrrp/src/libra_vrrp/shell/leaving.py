"""The end of a machine that leaves what it is master of to its successor."""

import signal
from collections.abc import Iterable

from libra_vrrp import lease
from libra_vrrp.shell.virtual_router import VirtualRouter
from libra_vrrp.states import Master

AT_ONCE, LATER = signal.SIGUSR2, signal.SIGUSR1
"""What tells a machine that its successor starts at once, or that it may never start."""


def leave(routers: Iterable[VirtualRouter], told: frozenset[int]) -> frozenset[str]:
    """Return who stays master without us, after a last advertisement: from it others count.

    Where no successor may come only those stay whose addresses the kernel takes back before
    others take over, and with them all that they hold. Of a group that cannot stay nobody does.
    """
    if not told:
        return frozenset()
    groups: dict[str, list[VirtualRouter]] = {}
    for one in routers:
        groups.setdefault(one.order.group or f"{one.name} alone", []).append(one)
    lasting = AT_ONCE in told
    left = [
        one
        for members in groups.values()
        if all(_may_stay(each, lasting=lasting) for each in members)
        for one in members
    ]
    for one in left:
        one.advertise(one.router.priority)
    return frozenset(one.name for one in left)


def _may_stay(one: VirtualRouter, *, lasting: bool) -> bool:
    order = one.order
    is_leased = not one.entries  # the kernel takes routes and rules back from nobody
    ends = is_leased and lease.ends_in_time(order.terms, order.interval)
    return isinstance(one.state, Master) and (lasting or ends)

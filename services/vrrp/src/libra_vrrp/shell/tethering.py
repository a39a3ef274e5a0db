"""The node's virtual routers on its tethers: what is said of them, and what becomes of a death."""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from libra_vrrp.orders import Instance
from libra_vrrp.seal.names import context, router_tag
from libra_vrrp.shell.asking import inquire
from libra_vrrp.shell.ground import Ground
from libra_vrrp.shell.seals import Seals
from libra_vrrp.shell.tethers import Bond, Plan, Tethers
from libra_vrrp.shell.virtual_router import VirtualRouter
from libra_vrrp.states import Backup, Master, Orphaned
from libra_vrrp.tether.channel import Protection
from libra_vrrp.tether.ends import merged
from libra_vrrp.tether.message import Standing
from libra_vrrp.tether.rank import Standings, Ward, orphans


def plan_of(orders: Iterable[Instance], seals: Seals) -> Plan | None:
    """Return what tethers are for; a router whose keys are not known yet is not spoken of."""
    tied = [one for one in orders if one.tether is not None]
    ends = merged(one.tether for one in tied)
    if ends is None:
        return None
    bonds = {}
    for order in tied:
        protection = _protection(order, seals)
        if order.tether is not None and protection is not None:
            peers = frozenset(name for name, _ in order.tether.peers)
            bonds[tag_of(order)] = Bond(peers, protection)
    return Plan(ends, bonds)


def arrange(tethers: Tethers, routers: Iterable[VirtualRouter], ground: Ground, now: float) -> None:
    """Have the tethers that our routers want: none where another machine works in our place.

    Ours would take the place of that one's, and our end would be its death to the peers.
    """
    orders = [one.order for one in routers]
    tethers.follow(plan_of(orders, ground.seals) if ground.claim.rival is None else None, now)


def attend(tethers: Tethers, routers: Iterable[VirtualRouter], ground: Ground, now: float) -> None:
    """Say how our routers stand, and have them take over in turn from a node that died.

    Whoever is on the path can forge an end. Under a seal the master is asked, and has a turn to
    answer.
    """
    if tethers.is_idle:
        return
    if tethers.is_to_stand(now):
        tethers.stand({tag: standing(one) for tag, one in tied_of(routers).items()})
    for lost, living in tethers.turn(now):
        tied = tied_of(routers)
        for tag, rank in orphaned(tied, lost, living).items():
            one = tied[tag]
            if is_sealed := one.order.seal is not None and one.order.seal.is_required:
                inquire(one, ground)
            one.give(Orphaned(rank + is_sealed), now)


def tied_of(routers: Iterable[VirtualRouter]) -> dict[bytes, VirtualRouter]:
    """Return the routers that tethers speak of, by their tags."""
    return {tag_of(one.order): one for one in routers if one.order.tether is not None}


def orphaned(
    tied: Mapping[bytes, VirtualRouter], lost: Standings, living: Collection[Standings]
) -> dict[bytes, int]:
    """Return whose master the lost node was, and how many come before us there."""
    wards = {
        tag: Ward(standing(one), one.state.master)
        for tag, one in tied.items()
        if isinstance(one.state, Backup)
    }
    return orphans(wards, lost, living)


def standing(one: VirtualRouter) -> Standing:
    """Return how a router stands; who could not be master now says 0."""
    takes_part = isinstance(one.state, Backup | Master)
    return Standing(one.router.priority if takes_part else 0, one.router.address)


def tag_of(order: Instance) -> bytes:
    """Return what stands for a router on the wire."""
    return _tag(order.name, order.vrid, order.family)


@lru_cache(maxsize=1024)
def _tag(name: str, vrid: int, family: int) -> bytes:
    return router_tag(context(name, vrid, family))


def _protection(order: Instance, seals: Seals) -> Protection | None:
    if order.seal is None:
        return Protection()
    lock = seals.lock(order)
    return None if lock is None else Protection(lock, order.seal.is_required)

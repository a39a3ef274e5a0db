"""Who takes over first from a master that died: ranks, from what living peers say of themselves.

One rule: a rank counts whom we know to be alive and to outrank us, by priority and then by address
(RFC 9568 section 6.4.3); who is not tied to us is waited for by nobody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.tether.message import Standing

Standings: TypeAlias = Mapping[bytes, Standing]
"""How somebody stands in each virtual router, by its tag."""


@dataclass(frozen=True, slots=True)
class Ward:
    """A virtual router of ours that follows `master`."""

    own: Standing
    master: IpAddress | None


def orphans(
    wards: Mapping[bytes, Ward], lost: Standings, living: Iterable[Standings]
) -> dict[bytes, int]:
    """Return our rank in every router whose master the lost node was."""
    alive = tuple(living)
    return {
        router: rank(ward.own, (one[router] for one in alive if router in one))
        for router, ward in wards.items()
        if router in lost and ward.master is not None and lost[router].address == ward.master
    }


def rank(own: Standing, others: Iterable[Standing]) -> int:
    """Return how many come before us."""
    return sum(_order(one) > _order(own) for one in others if one.priority)


def _order(one: Standing) -> tuple[int, int, bytes]:
    return one.priority, one.address.version, one.address.packed

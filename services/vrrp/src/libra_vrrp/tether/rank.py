"""Who takes over first from a master that died: ranks, from what living peers say of themselves.

One rule: a rank counts whom we know to be alive and to outrank us, by priority and then by address
(RFC 9568 section 6.4.3); who is not tied to us is waited for by nobody.
"""

from collections.abc import Collection, Iterable, Mapping
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
    wards: Mapping[bytes, Ward], lost: Standings, living: Collection[Standings]
) -> dict[bytes, int]:
    """Return our rank in every router whose master the lost node was.

    Who took no part was nobody's master, and a master who is tied to us himself is not dead.
    """
    others = {router: [one[router] for one in living if router in one] for router in wards}
    return {
        router: rank(ward.own, others[router])
        for router, ward in wards.items()
        if router in lost
        and _is_master(lost[router], ward)
        and not any(_is_master(one, ward) for one in others[router])
    }


def rank(own: Standing, others: Iterable[Standing]) -> int:
    """Return how many come before us."""
    return sum(_order(one) > _order(own) for one in others if one.priority)


def _is_master(one: Standing, ward: Ward) -> bool:
    return one.priority > 0 and one.address == ward.master


def _order(one: Standing) -> tuple[int, int, bytes]:
    return one.priority, one.address.version, one.address.packed

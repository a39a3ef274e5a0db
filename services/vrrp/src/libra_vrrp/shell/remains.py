"""The leased addresses that those before us left."""

from libra_vrrp.orders import Instance, Place
from libra_vrrp.shell.ground import Ground


def remains(order: Instance, ground: Ground) -> tuple[Place, ...]:
    """Return the places whose leased address is there already."""
    return tuple(place for place in order.held if _is_left(ground, place))


def _is_left(ground: Ground, place: Place) -> bool:
    """Say whether the address is there as we lease it; a link-local one where it is to be."""
    link = ground.interfaces.named(place.interface)
    return any(
        held.valid is not None
        and held.prefix == place.length
        and (link is None or held.index == link.index or not place.address.is_link_local)
        for held in ground.interfaces.holders(place.address)
    )

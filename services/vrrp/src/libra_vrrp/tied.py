"""Which other nodes an instance ties this one to.

One rule: a tether goes between the addresses under `nodes`, wherever adverts go; nodes whose
addresses are of two families, or say nothing without an interface, have none.
"""

from libra_schemas.config import Config, InstanceConfig
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.tether.ends import Ends


def ends(config: Config, one: InstanceConfig, node: str) -> Ends | None:
    """Return our end and those of the other nodes that take part; None where there is none."""
    own = config.nodes[node].address
    peers = tuple(
        (name, other.address)
        for name, other in config.nodes.items()
        if name != node and one.takes_part(name) and _can_be_tied(own, other.address)
    )
    return Ends(own, config.tether.port, peers) if config.tether.enabled and peers else None


def _can_be_tied(own: IpAddress, other: IpAddress) -> bool:
    return own.version == other.version and not (own.is_link_local or other.is_link_local)

"""What stands for the tethers between the hosts: a death is told to everyone who is reached."""

from collections.abc import Sequence
from functools import partial

from tests.vrrp.simulation.host import Host
from tests.vrrp.simulation.network import Network

from libra_vrrp.shell.tethering import standing, tag_of
from libra_vrrp.tether.rank import Standings


def tell(network: Network, hosts: Sequence[Host], dead: Host) -> None:
    """Have the others learn that machine and guard of a host are dead; what travels, travels."""
    lost = _standings(dead)
    for other in hosts:
        if other is not dead and lost and network.reaches(dead.number, other.number):
            near = [one for one in hosts if one not in {dead, other}]
            living = [_standings(one) for one in near if _are_tied(network, one, other)]
            arrives = partial(_arrive, other, lost, living)
            network.engine.after(network.dice.uniform(0, network.delay), arrives)


def _arrive(host: Host, lost: Standings, living: Sequence[Standings]) -> None:
    if host.process is not None and host.is_on and host.kernel.up:
        host.engine.disturb(host.name, "a tether has ended")
        host.process.bereave(lost, living)


def _are_tied(network: Network, one: Host, other: Host) -> bool:
    return network.reaches(one.number, other.number) and network.reaches(other.number, one.number)


def _standings(host: Host) -> Standings:
    if host.process is None or not (host.is_on and host.kernel.up):
        return {}
    return {tag_of(one.order): standing(one) for one in host.process.roster}

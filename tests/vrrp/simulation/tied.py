"""The tethers of a host of the simulation: production's, on its wires; deaths are noted."""

from collections.abc import Callable

from tests.vrrp.simulation.plugs import Plugs
from tests.vrrp.simulation.stand_ins import Surroundings

from libra_vrrp.shell.tethers import Tethers, Trustee
from libra_vrrp.tether.peer import CALM
from libra_vrrp.tether.rank import Standings

Told = Callable[[Standings, list[Standings], float], None]


class Tied(Tethers):
    """`told` hears of every death before the routers do, and the host of whose it was."""

    def __init__(self, host: Surroundings, trustee: Trustee, plugs: Plugs, told: Told) -> None:
        super().__init__(host.name, trustee, lambda _: None, plugs)
        self._host, self._told = host, told

    def bereave(self, name: str, said: Standings) -> None:
        self._host.bereaved(name)
        super().bereave(name, said)

    def is_tied_to(self, name: str, now: float) -> bool:
        """Say whether the end of a node would count."""
        one = self._peers.get(name)
        known = None if one is None else one._peer
        return known is not None and bool(known.standings) and now >= known.counted_at + CALM

    def turn(self, now: float) -> list[tuple[Standings, list[Standings]]]:
        deaths = super().turn(now)
        for lost, living in deaths:
            self._told(lost, living, now)
        return deaths

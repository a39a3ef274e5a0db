"""A world made of one seed: some directors, their configs, what befalls them, and the judges."""

import random

from tests.vrrp.simulation.cluster import cluster
from tests.vrrp.simulation.engine import Clock, Engine
from tests.vrrp.simulation.host import Host
from tests.vrrp.simulation.mishaps import MISHAPS, Scene
from tests.vrrp.simulation.network import Network, Weather
from tests.vrrp.simulation.peace import Peace, bounds
from tests.vrrp.simulation.wires import Wires

STORMS = 2
"""How many storms a world goes through; after each there is peace for long enough to be judged."""

INTERVALS = (0.1, 0.3, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0)


class World:
    """Everything that follows from `seed`; `record` keeps the notes for a timeline."""

    def __init__(self, seed: int, *, record: bool = False) -> None:
        self.engine = Engine(record=record)
        self._dice = dice = random.Random(seed)
        self._ends = 0.0
        interval = dice.choice(INTERVALS)
        self.network = Network(
            self.engine,
            dice,
            delay=min(0.005, interval / 10),
            lateness=2 * interval,
            weather=Weather(twice=dice.choice([0, 0.05])),
        )
        self.wires = Wires(self.network)
        lateness = interval / 50
        self.hosts = [
            Host(self.network, self.wires, dice, _clock(dice), orders, lateness)
            for orders in cluster(dice, interval)
        ]
        for host in self.hosts:
            host.others = {one.name: one for one in self.hosts if one is not host}
        every = [one for host in self.hosts for one in host.orders]
        self.bounds = bounds(every, self.network.delay, lateness)
        self._scene = Scene(self.network, self.wires, self.hosts, dice)
        self.peace = Peace(self.network, self.hosts, self.bounds)

    def run(self) -> None:
        """Let it all happen; raise `BrokenError` where a promise is broken."""
        for host in self.hosts:
            self.engine.after(self._dice.uniform(0, 2), host.start)
        self._run(2 + self._dice.choice([0, self.bounds.unsettled]))
        for _ in range(STORMS):
            for _ in range(self._dice.choice([1, 1, 1, 2, 2, 3, 4])):
                self.engine.after(self._dice.uniform(0, 3), self._befall)
            self._run(3)
            self._rest()

    def _befall(self) -> None:
        lasts = self._dice.choice(MISHAPS)(self._scene)
        self._ends = max(self._ends, self.engine.now + lasts)

    def _rest(self) -> None:
        """Wait until every mishap is over, and then for long enough to judge."""
        while (left := self._ends - self.engine.now) > 0:
            self._run(left)
        self._run(self.bounds.unsettled * 1.1 + 0.5)

    def _run(self, seconds: float) -> None:
        self.engine.run(self.engine.now + seconds, self.peace.judge, self.peace.look)


def _clock(dice: random.Random) -> Clock:
    """Return a clock that runs up to one in a hundred too fast or too slow."""
    drift = dice.choice([0.0, 1e-4, 1e-2])
    return Clock(dice.uniform(0, 1e5), 1 + dice.uniform(-drift, drift))

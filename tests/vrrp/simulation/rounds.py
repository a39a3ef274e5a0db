"""When the next round of a loop comes: a little late, as its host is, and once for all who ask."""

from collections.abc import Callable
from functools import partial

from tests.vrrp.simulation.stand_ins import Surroundings


class Rounds:
    """Has `turn` made where the process `may`; who cannot now is to ask again when it can."""

    def __init__(
        self, host: Surroundings, may: Callable[[], bool], turn: Callable[[], None]
    ) -> None:
        self._host, self._may, self._turn = host, may, turn
        self._number, self._due_at = 0, float("inf")

    def arrange(self, when: float) -> None:
        """Have a round at this time of the world, or sooner."""
        late = when + self._host.dice.uniform(1e-6, self._host.lateness)
        if late < self._due_at:
            self._number += 1
            self._due_at = late
            self._host.engine.at(late, partial(self._begin, self._number))

    def forget(self) -> None:
        """Have no round that was arranged: the process was stopped meanwhile."""
        self._due_at = float("inf")

    def _begin(self, number: int) -> None:
        if number == self._number and self._may():
            self.forget()
            self._turn()

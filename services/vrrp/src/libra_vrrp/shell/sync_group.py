"""Virtual routers that move together, at work: one input to one of them, performed by all."""

from collections.abc import Iterable
from typing import Protocol

from libra_vrrp import group
from libra_vrrp.states import Effect, Input, State


class Mover(group.Member, Protocol):
    """A virtual router that does as its group decides."""

    @property
    def name(self) -> str:
        """Its name, which no other has."""

    def move(self, state: State, effects: tuple[Effect, ...], now: float) -> None:
        """Enter a state and perform the effects."""


class SyncGroup:
    """All members of one group on this node; a router without a group is alone in one."""

    def __init__(self, members: Iterable[Mover]) -> None:
        self._members = {one.name: one for one in members}
        self._deadlines: dict[str, float | None] | None = None

    def give(self, name: str, given: Input, now: float) -> None:
        """Hand one input to the machine of one member; the others follow."""
        self._deadlines = None
        for move in group.step(self._members, name, given, now):
            self._members[move.member].move(move.state, move.effects, now)

    def deadline(self, name: str) -> float | None:
        """Return when time changes the state of a member."""
        if self._deadlines is None:
            self._deadlines = group.deadlines(self._states())
        return self._deadlines[name]

    def settle(self, now: float) -> None:
        """Have members that came together know of each other's faults."""
        for name, given in group.settle(self._states()):
            self.give(name, given, now)

    def _states(self) -> dict[str, State]:
        return {name: one.state for name, one in self._members.items()}

"""What is told of a virtual router's states: a master's only once all is in place."""

import time
from dataclasses import replace

from libra_vrrp.orders import Instance
from libra_vrrp.reports import Follows, Transition, transition, word
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.shell.ground import Ground
from libra_vrrp.shell.weighing import Weighing
from libra_vrrp.states import Backup, Enter, Master, State
from libra_vrrp.why import Why


class Telling:
    """Times are monotonic seconds; `priority` is the one in effect."""

    def __init__(self, ground: Ground, weighing: Weighing) -> None:
        self._ground = ground
        self._weighing = weighing
        self._waiting: tuple[Enter, State] | None = None
        self._master: IpAddress | None = None
        self._taken: tuple[float, float, str] | None = None

    def entered(
        self, order: Instance, priority: int, entered: Enter, before: State, now: float
    ) -> None:
        """Report a state; a master's only once the kernel holds what it is to hold."""
        self._master = entered.peer if isinstance(entered.state, Backup) else None
        if isinstance(entered.state, Master):
            self._waiting = (entered, before)
        else:
            said = self._transition(order, priority, entered, word(before), now)
            self._ground.tell(said)

    def complete(self, order: Instance, priority: int, now: float) -> None:
        """Report what waited for the kernel."""
        if self._waiting is not None:
            (entered, before), self._waiting = self._waiting, None
            said = self._transition(order, priority, entered, word(before), now)
            if entered.why is not Why.ADOPTED:  # who is adopted was master already
                self._taken = (said.at, said.took, said.why)
            self._ground.tell(replace(said, taken=self._taken))

    def follow(self, name: str, state: State) -> None:
        """Report whom a backup follows, where that was not told; now and then: it may alternate."""
        if isinstance(state, Backup) and state.master not in {None, self._master}:
            self._master = state.master
            self._ground.tell(Follows(name, str(state.master), time.time()))

    def forget(self) -> None:
        """Report nothing of a mastership that is over."""
        self._waiting = None

    def status(self, order: Instance, priority: int, state: State, now: float) -> Transition:
        """Return the present state as a report."""
        said = self._transition(order, priority, Enter(state, Why.STARTED), None, now)
        return replace(said, repeated=True)

    def _transition(
        self, order: Instance, priority: int, entered: Enter, previous: str | None, now: float
    ) -> Transition:
        said = transition(order, priority, entered, previous, now, time.time())
        return replace(self._weighing.explained(said, order), taken=self._taken)

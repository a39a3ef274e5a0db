"""What is ours on the host beside addresses: virtual MACs' interfaces, and what others left.

One rule: nothing is touched that another libra-vrrp of this network namespace may work with.
"""

from contextlib import closing
from typing import assert_never

from libra_vrrp.renewal import Cleared, Sweep, Unmake
from libra_vrrp.shell.aside import Aside
from libra_vrrp.shell.ground import Ground
from libra_vrrp.shell.questions import Questions
from libra_vrrp.shell.roster import Roster
from libra_vrrp.vmacs import is_ours


class Upkeep:
    """Looks after it whenever all is looked at.

    Where this node has no instance at all it removes, once, what its predecessors left. The claim
    that it takes for that ends with it: whoever has instances here is not to be kept from them.
    """

    def __init__(self, roster: Roster, ground: Ground, aside: Aside) -> None:
        self._roster, self._ground, self._aside = roster, ground, aside
        self._sweep = Sweep(())
        self._has_looked = self._is_swept = False

    def look(self, now: float) -> None:
        """Have the virtual MACs' interfaces, and no others of ours."""
        if not self._has_looked and not self._has_routers:
            self._aside.do(_is_anything_left, self._found)
        self._has_looked = True
        self._let_go()
        ground = self._ground
        if ground.claim.is_held:
            ground.vmacs.reconcile(self._roster.wanted_vmacs(), ground.interfaces, now)
            ground.vmacs.hush(self._roster, ground.interfaces)
            ground.links.look_at(ground.vmacs.retry_at())

    def cleared(self, done: Cleared, now: float) -> None:
        """Take what became of a sweep, or of interfaces that were to go."""
        match done.job:
            case Unmake():
                self._ground.vmacs.unmade(done.refused, now)
            case Sweep():
                self._is_swept = done.job is self._sweep
                self._let_go()
            case _:
                assert_never(done.job)

    @property
    def _has_routers(self) -> bool:
        return any(True for _ in self._roster)

    @property
    def _has_interfaces(self) -> bool:
        return any(map(is_ours, self._ground.interfaces.links.values()))

    def _found(self, outcome: bool | OSError, now: float) -> None:  # noqa: FBT001 - what was asked
        """Sweep where something is left and nobody else works here: whoever does removes it."""
        is_left = outcome is True or self._has_interfaces
        if is_left and not self._has_routers:
            self._ground.claim.take()
            if self._ground.claim.is_held:
                self.look(now)
                self._ground.work(self._sweep)

    def _let_go(self) -> None:
        """Give the claim up where all is gone; with a router it is kept to the end."""
        if self._has_routers:
            self._is_swept = False
        elif self._is_swept and not self._has_interfaces:
            self._is_swept = False
            self._ground.claim.close()


def _is_anything_left() -> bool:
    with closing(Questions()) as kernel:
        return bool(kernel.entries())

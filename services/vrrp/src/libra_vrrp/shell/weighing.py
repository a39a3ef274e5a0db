"""What tracked objects make of one virtual router, told whenever its priority changes by them."""

import time

from libra_vrrp import tracking
from libra_vrrp.orders import Instance, Tracked
from libra_vrrp.priority import Sum, explained, summed, weighed
from libra_vrrp.reports import Transition
from libra_vrrp.router import effective
from libra_vrrp.shell.ground import Ground
from libra_vrrp.tracking import Tracking


class Weighing:
    """The tracked objects of an instance, and the priority that they leave it."""

    def __init__(self, order: Instance, ground: Ground) -> None:
        self.tracking = Tracking()
        self._ground = ground
        self._told: Sum = summed(order.priority, self.tracking)

    def hear(self, said: Tracked) -> None:
        """Take what the reporter says of its objects."""
        self.tracking = tracking.hear(self.tracking, said)

    def look(self, order: Instance, now: float) -> int:
        """Take in the interfaces; return the priority, told before what comes of it."""
        known = tracking.look(self.tracking, order.tracked, self._ground.interfaces, now)
        priority = effective(order.priority, known.deltas)
        if (made := summed(priority, known)) != self._told:
            self._told = made
            self._ground.tell(weighed(order.name, priority, order.priority, known, time.time()))
        self.tracking = known
        return priority

    def explained(self, said: Transition, order: Instance) -> Transition:
        """Say of a state also what tracked objects have to do with it."""
        return explained(said, order.priority, self.tracking)

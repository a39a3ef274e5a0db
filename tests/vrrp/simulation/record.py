"""What one virtual router heard and was told, and what follows from it by RFC 9568 section 6.4."""

from dataclasses import dataclass

from libra_vrrp.codec import OWNER
from libra_vrrp.orders import Instance
from libra_vrrp.router import STOPPING, After, Always, Never, WhenSynced
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.states import Backup, Master, State

LATE = 1e-6
"""Seconds that clocks are rounded by."""


@dataclass
class Record:
    """`state` is the one that was seen last; times are of the host's clock.

    `counted_at` and `interval` are of the last advertisement that counts: one of our priority or a
    higher one, or of a lower one that is not to be preempted. `is_outranked` and `hold` are
    news since the last look: a better master was heard, the operator holds us back until then.
    """

    order: Instance
    unclean_at: float = float("-inf")
    state: State | None = None
    fence: float = float("-inf")
    is_confirmed: bool = False
    counted_at: float = 0.0
    interval: float = 0.0
    zero_at: float | None = None
    courted_since: float | None = None
    held_until: float | None = None
    hold: float | None = None
    is_covered: bool = False
    is_synced: bool = False
    is_outranked: bool = False
    is_asked: bool = False
    delta: int = 0
    master: IpAddress | None = None
    inherits_at: float = float("inf")
    must_inherit: bool = False

    @property
    def priority(self) -> int:
        """Return the priority with what tracking adds to it."""
        if self.order.priority == OWNER:
            return OWNER
        return min(max(self.order.priority + self.delta, 1), OWNER - 1)

    def begin_backup(self, now: float) -> None:
        """Watch from now on, unless an advertisement that counts was heard in this very turn.

        An owner of a group is ready at once, and waits for the other members.
        """
        if self.counted_at != now:
            self.counted_at, self.interval = now, self.order.interval
            self.master = None
        if self.order.group and self.priority == OWNER and not isinstance(self.state, Master):
            self.counted_at = float("-inf")
        self.zero_at = self.courted_since = None
        self.inherits_at, self.must_inherit = float("inf"), False
        self.held_until, self.is_synced = self.hold, self.is_covered

    def inherit(self, at: float) -> None:
        """Know that the master is dead, and when our turn is."""
        if isinstance(self.state, Backup) and at < self.inherits_at:
            self.inherits_at, self.must_inherit = at, not self.order.group

    def is_overdue(self, now: float) -> bool:
        """Say whether it should have become master in its turn."""
        is_due = self.must_inherit and now > self.inherits_at + LATE
        return is_due and isinstance(self.state, Backup)

    def hear(self, priority: int, interval: float, source: IpAddress, now: float) -> None:
        """Take an advertisement in."""
        if isinstance(self.state, Master) and priority < self.priority:
            return
        if priority == STOPPING:
            self.zero_at = now
        elif priority >= self.priority:
            self.courted_since = None
            self._count(interval, source, now)
        else:
            self.courted_since = now if self.courted_since is None else self.courted_since
            if not self._may_preempt(now):
                self._count(interval, source, now)

    def earliest(self) -> float:
        """Return when there was silence for long enough to become master, or its turn came."""
        skew = (256 - self.priority) / 256 * self.interval
        silent_at = self.counted_at + 3 * self.interval + skew
        if self.zero_at is not None:
            silent_at = self.zero_at + skew
        return min(silent_at, self.inherits_at)

    def _count(self, interval: float, source: IpAddress, now: float) -> None:
        self.counted_at, self.interval, self.zero_at = now, interval, None
        self.inherits_at, self.must_inherit, self.master = float("inf"), False, source

    def _may_preempt(self, now: float) -> bool:
        if self.held_until is not None and now < self.held_until:
            return False
        courted = 0.0 if self.courted_since is None else now - self.courted_since
        if self.priority == OWNER:
            return True
        match self.order.preempt:
            case Always():
                return True
            case Never():
                return False
            case After(delay=delay):
                return courted >= delay
            case WhenSynced(deadline=delay, unclean=least):
                is_due = self.is_synced or courted >= delay
                return is_due and now >= self.unclean_at + least

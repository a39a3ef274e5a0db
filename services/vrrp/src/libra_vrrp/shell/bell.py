"""Alarms on their way to the reporter: the clock is read here."""

import time
from collections.abc import Callable

from libra_vrrp.alarm import Cause, Rungs, ring_for
from libra_vrrp.reports import AlarmRaised
from libra_vrrp.rtnetlink import IpAddress


class Bell:
    """Tells of alarms, one of a cause at a time; the rest is counted."""

    def __init__(self, tell: Callable[[AlarmRaised], None]) -> None:
        self._tell = tell
        self._rungs: dict[str, Rungs] = {}

    def ring(
        self, instance: str, kind: str, peer: IpAddress | None, detail: str, reason: str
    ) -> None:
        """Tell of it, unless one like it was told of just now."""
        source = None if peer is None else str(peer)
        cause = Cause(kind, reason, source)
        rungs, times = ring_for(self._rungs.get(instance, {}), cause, time.monotonic())
        self._rungs[instance] = rungs
        if times:
            self._tell(AlarmRaised(instance, kind, source, detail, times, time.time()))

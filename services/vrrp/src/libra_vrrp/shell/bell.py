"""Alarms on their way to the reporter: the clock is read here."""

import time
from collections.abc import Callable

from libra_vrrp.alarm import Rung, ring
from libra_vrrp.reports import AlarmRaised
from libra_vrrp.rtnetlink import IpAddress


class Bell:
    """Tells of alarms, one of a kind of an instance at a time; the rest is counted."""

    def __init__(self, tell: Callable[[AlarmRaised], None]) -> None:
        self._tell = tell
        self._rung: dict[tuple[str, str], Rung] = {}

    def ring(self, instance: str, kind: str, peer: IpAddress | None, detail: str) -> None:
        """Tell of it, unless one like it was told of just now."""
        last = self._rung.get((instance, kind), Rung())
        self._rung[instance, kind], times = ring(last, time.monotonic())
        if times:
            source = None if peer is None else str(peer)
            self._tell(AlarmRaised(instance, kind, source, detail, times, time.time()))

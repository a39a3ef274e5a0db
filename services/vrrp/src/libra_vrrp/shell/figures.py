"""What the machine counts."""

import time
from collections import Counter

from libra_runtime.outlet import Outlet
from libra_vrrp.reports import Statistics


class Figures:
    """Totals since the start, the worst lateness of an advert in seconds, log lines dropped."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._counters: Counter[str] = Counter()
        self._lateness = 0.0

    def count(self, name: str) -> None:
        """Count something."""
        self._counters[name] += 1

    def late(self, seconds: float | None) -> None:
        """Take how late an advert was, None where none was due."""
        if seconds is not None:
            self._lateness = max(self._lateness, seconds)

    def report(self) -> Statistics:
        """Give all of it."""
        counters = dict(self._counters) | {"log_dropped": self._outlet.dropped}
        return Statistics(counters, self._lateness, time.time())

"""What the machine counts."""

import time
from collections import Counter
from collections.abc import Iterable

from libra_runtime.outlet import Outlet
from libra_vrrp.lateness import BOUNDS, bucket_of
from libra_vrrp.reports import Statistics


class Figures:
    """Totals since the start, how late adverts were in seconds, log lines dropped."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._counters: Counter[str] = Counter()
        self._lateness = self._lateness_sum = 0.0
        self._late = [0] * (len(BOUNDS) + 1)

    def count(self, name: str) -> None:
        """Count something."""
        self._counters[name] += 1

    def note(self, name: str, figure: int) -> None:
        """Show a figure that is no count of what happens."""
        self._counters[name] = figure

    def late(self, adverts: Iterable[float]) -> None:
        """Take how late each advert was."""
        for seconds in adverts:
            self._lateness = max(self._lateness, seconds)
            self._lateness_sum += seconds
            self._late[bucket_of(seconds)] += 1

    def report(self) -> Statistics:
        """Give all of it."""
        counters = dict(self._counters) | {"log_dropped": self._outlet.dropped}
        late = tuple(self._late)
        return Statistics(counters, self._lateness, time.time(), late, self._lateness_sum)

"""The machine's figures as Prometheus metrics."""

from collections.abc import Iterator

from prometheus_client import REGISTRY, Counter, Gauge
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from libra_vrrp.lateness import cumulated
from libra_vrrp.reports import Statistics, Transition

STATES = ("master", "backup", "fault", "stopped")


class Meters:
    """What `/metrics` shows of the virtual routers."""

    def __init__(self) -> None:
        self._state = Gauge(
            "libra_vrrp_state", "1 for the state an instance is in", ["instance", "state"]
        )
        self._transitions = Counter(
            "libra_vrrp_transitions_total", "states entered", ["instance", "state", "why"]
        )
        self._counts = Gauge(
            "libra_vrrp_machine_count", "totals since the machine's start", ["what"]
        )
        self._late = Late()
        REGISTRY.register(self._late)
        self._lateness = Gauge(
            "libra_vrrp_advert_lateness_seconds", "worst lateness of an advert since the start"
        )

    def show(self, report: Transition | Statistics) -> None:
        """Take in a report."""
        match report:
            case Transition():
                for state in STATES:
                    self._state.labels(report.instance, state).set(state == report.state)
                if not report.repeated:
                    self._transitions.labels(report.instance, report.state, report.why).inc()
            case Statistics():
                self._lateness.set(report.lateness)
                self._late.newest = report
                for what, count in report.counters.items():
                    self._counts.labels(what).set(count)


class Late(Collector):
    """How late adverts were, as the machine counted it; it begins anew when the machine does."""

    newest: Statistics | None = None

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the histogram; none before the machine said anything."""
        if self.newest is not None and self.newest.late:
            yield HistogramMetricFamily(
                "libra_vrrp_advert_late_seconds",
                "how late adverts were",
                buckets=list(cumulated(self.newest.late)),
                sum_value=self.newest.lateness_sum,
            )

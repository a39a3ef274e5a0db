"""The machine's figures as Prometheus metrics."""

from prometheus_client import Counter, Gauge

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
                for what, count in report.counters.items():
                    self._counts.labels(what).set(count)

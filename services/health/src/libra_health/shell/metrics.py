"""What the health service exports: read at each scrape, nothing is counted twice for it."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector

from libra_health.shell.board import Board
from libra_health.shell.drive import Driver
from libra_health.shell.holds import Holds
from libra_health.shell.line import WORDS
from libra_health.verdict import Standing, Tally, standing


class HealthMetrics(Collector):
    """Reads the driver's load and the board; both belong to another thread, so it only copies."""

    def __init__(self, driver: Driver, board: Board, holds: Holds) -> None:
        self._driver = driver
        self._board = board
        self._holds = holds

    def describe(self) -> Iterator[Metric]:
        """Name nothing ahead: every scrape tells the whole."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Give all families."""
        load = self._driver.load
        yield CounterMetricFamily("libra_health_runs", "Checks begun.", load.runs)
        yield CounterMetricFamily("libra_health_skipped", "Runs missed.", load.skipped)
        yield CounterMetricFamily("libra_health_lag_seconds", "Sum of start lags.", load.lag_sum)
        yield GaugeMetricFamily(
            "libra_health_worst_lag_seconds",
            "Latest start since the last scrape.",
            load.take_worst_lag(),
        )
        results = CounterMetricFamily(
            "libra_health_results", "Results of checks.", labels=("check", "result")
        )
        for labels, number in self._board.results.copy().items():
            results.add_metric(labels, number)
        yield results
        yield self._errands()
        yield from self._verdicts()
        yield self._kept()

    def _errands(self) -> GaugeMetricFamily:
        family = GaugeMetricFamily(
            "libra_health_errands", "Programs run and files read.", labels=("state",)
        )
        family.add_metric(("running",), self._driver.aside.running)
        family.add_metric(("waiting",), self._driver.aside.waiting)
        return family

    def _verdicts(self) -> Iterator[Metric]:
        ups = _of_backends("up", "1 up, 0 down.")
        weights = _of_backends("weight", "Effective weight where checks or slow start give one.")
        withheld = _of_backends("withheld", "1 while it fails and max_down keeps it in.")
        damped = _of_backends("damped", "1 while flap damping holds it down.")
        for key, tally in self._board.tallies.copy().items():
            up, said = _is_up(tally), tally.said
            if up is not None:
                ups.add_metric(key, float(up))
            if said is not None and said.weight is not None:
                weights.add_metric(key, float(said.weight))
            if said is not None and said.held:
                withheld.add_metric(key, 1.0)
            if said is not None and said.damped:
                damped.add_metric(key, 1.0)
        yield from (ups, weights, withheld, damped)

    def _kept(self) -> GaugeMetricFamily:
        family = GaugeMetricFamily(
            "libra_health_holds", "Holds by what they are doing.", labels=("state",)
        )
        found = self._holds.states()
        for word in WORDS:
            family.add_metric((word,), float(found[word]))
        return family


def _of_backends(what: str, means: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"libra_health_backend_{what}", means, labels=("service", "backend"))


def _is_up(tally: Tally) -> bool | None:
    """Tell whether a backend is up, None before anything can be said."""
    if tally.said is not None:
        return tally.said.up and not tally.said.held
    found = standing(tally)
    return None if found is Standing.UNKNOWN else found is Standing.UP


def export(driver: Driver, board: Board, holds: Holds) -> None:
    """Register with the process's registry."""
    REGISTRY.register(HealthMetrics(driver, board, holds))

"""One run of a check as written in a config, by the real driver."""

import queue
from collections.abc import Mapping
from typing import Any

from libra_health.asked import spec_of
from libra_health.outcome import Outcome
from libra_health.probes import Changes, Probe
from libra_health.shell.drive import Driver
from libra_health.wire import Target
from libra_schemas.config import CheckConfig

PATIENCE = 60.0


class Prober:
    """A driver; `stop` tells what it died of, if it did."""

    def __init__(self) -> None:
        self.reports: queue.Queue[Outcome] = queue.Queue()
        self.died: list[BaseException] = []
        self.driver = Driver(lambda _, outcome, __: self.reports.put(outcome), self._fail)
        self.driver.start()

    def __call__(self, port: int, check: Mapping[str, Any], timeout: float = 10.0) -> Outcome:
        """Run a check once against 127.0.0.1."""
        target = Target("127.0.0.1", port)
        probe = Probe(target, spec_of(CheckConfig.model_validate(check), target), 3600.0, timeout)
        self.driver.call(lambda: self.driver.apply(Changes((), (probe,), ()), spread=False))
        outcome = self.reports.get(timeout=PATIENCE)
        self.driver.call(lambda: self.driver.apply(Changes((probe,), (), ()), spread=False))
        if self.died:
            raise self.died[0]
        return outcome

    def stop(self) -> None:
        self.driver.stop()
        assert self.died == []

    def _fail(self, error: BaseException) -> None:
        self.died.append(error)
        self.reports.put(None)  # type: ignore[arg-type]  # wakes who waits

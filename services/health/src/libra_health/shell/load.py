"""What the driver did, counted for the metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Load:
    """What the driver did since it started; written by its thread, read by any.

    `worst_lag`: seconds the latest run started late at most, since `take_worst_lag`.
    """

    runs: int = 0
    lag_sum: float = 0.0
    worst_lag: float = 0.0
    skipped: int = 0

    def take_worst_lag(self) -> float:
        """Read the worst lag and begin anew."""
        worst, self.worst_lag = self.worst_lag, 0.0
        return worst

    def account(self, late: float, leap: float, every: float) -> None:
        """Count a run that began `late` seconds late; `leap`: seconds to the next, for skips."""
        self.runs += 1
        self.lag_sum += late
        self.worst_lag = max(self.worst_lag, late)
        if leap > 1.5 * every:
            self.skipped += round(leap / every) - 1

"""What the writer has counted since it started, for the metrics."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from libra_ipvs_writer.outcome import Result, Status


@dataclass(slots=True)
class Tally:
    """Operations by kind and fate, and drifts found."""

    operations: Counter[tuple[str, Status]] = field(default_factory=Counter)
    drifts: int = 0

    def count(self, results: Iterable[Result]) -> None:
        """Count performed operations."""
        self.operations.update((each.operation.op, each.status) for each in results)

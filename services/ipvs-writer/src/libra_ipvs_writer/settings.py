"""What the ipvs-writer is told when it starts."""

import os
from dataclasses import dataclass

from libra_runtime.settings import Edge


@dataclass(frozen=True, slots=True)
class Settings:
    """*read_back*: seconds between two comparisons of the kernel with what was written.

    *retry_first* and *retry_longest*: seconds until a refused service is tried again, doubled
    from the first to the longest. *path_metrics*: private services are among the metrics.
    """

    edge: Edge
    read_back: float = 10.0
    retry_first: float = 1.0
    retry_longest: float = 300.0
    path_metrics: bool = False

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read LIBRA_*; raise BadEnvironment."""
        asked = os.environ.get("LIBRA_PATH_METRICS", "") not in {"", "0"}
        return cls(Edge.from_environment("ipvs-writer"), path_metrics=asked)

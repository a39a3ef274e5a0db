"""What the health service is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from libra_runtime.settings import Edge


@dataclass(frozen=True, slots=True)
class Settings:
    """`patience`: seconds that a start waits for the log before it goes by the kept config."""

    edge: Edge
    patience: float = 2.0

    @classmethod
    def from_environment(cls) -> Settings:
        """Read LIBRA_*; raises BadEnvironment."""
        return cls(Edge.from_environment("health"))

    @property
    def kept_config(self) -> Path:
        """Where the last accepted config is kept, for a start without the log."""
        return self.edge.state / "health.config.json"

"""What the console needs to know before it starts."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """*socket* is where operators' commands arrive; *ack_timeout* (s) bounds a publish."""

    node: str
    socket: Path
    notes: Path
    """What this node last took over from which file (JSON)."""
    config: Path | None = None
    """A file to take over at start, by design §10's rule."""
    ack_timeout: float = 10.0
    metrics_port: int = 0
    """Ours, from which those of the other services follow; 0 = none."""

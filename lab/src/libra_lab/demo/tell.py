"""How the story is printed: one line per step, figures beside it, a summary at the end."""

import sys
import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Told:
    """What was told so far; *started* is monotonic seconds."""

    started: float = field(default_factory=time.monotonic)
    figures: list[tuple[str, str]] = field(default_factory=list)

    def step(self, text: str) -> None:
        """Open a step."""
        self._line(f"{time.monotonic() - self.started:6.1f} s  {text}")

    def fact(self, text: str) -> None:
        """Tell what was seen."""
        self._line(f"{'':10}{text}")

    def figure(self, name: str, value: str) -> None:
        """Tell a figure and keep it for the summary."""
        self.figures.append((name, value))
        self.fact(f"{name}: {value}")

    def summary(self) -> None:
        """Print all figures again."""
        self._line("")
        width = max((len(name) for name, _ in self.figures), default=0)
        for name, value in self.figures:
            self._line(f"  {name:<{width}}  {value}")

    def _line(self, text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

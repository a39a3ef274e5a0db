"""Which services are tried again and when: exponential back-off on the loop's clock."""

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class Retries:
    """*first* and *longest* are the delays in seconds, doubled from one to the other."""

    first: float
    longest: float
    _attempts: dict[str, tuple[int, float]] = field(default_factory=dict)

    def again(self, name: str) -> tuple[int, float]:
        """Note a refusal; give the attempt's number and the delay until the next."""
        attempt = self._attempts.get(name, (0, 0.0))[0] + 1
        delay = min(self.first * 2 ** min(attempt - 1, 30), self.longest)
        self._attempts[name] = (attempt, asyncio.get_running_loop().time() + delay)
        return attempt, delay

    def forget(self, name: str) -> None:
        """Note that nothing was refused."""
        self._attempts.pop(name, None)

    def names(self) -> frozenset[str]:
        """Name what waits for another try."""
        return frozenset(self._attempts)

    def next(self) -> float | None:
        """Tell when the next try is due; None when there is none."""
        return min((due for _, due in self._attempts.values()), default=None)

    def due(self, now: float) -> frozenset[str]:
        """Name what is due at *now*."""
        return frozenset(name for name, (_, due) in self._attempts.items() if due <= now)

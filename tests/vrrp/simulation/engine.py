"""Virtual time: what happens when, when the world was last disturbed, and what was noted.

Times are seconds of the world; every host has a clock of its own.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

Act = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Clock:
    """A host's monotonic clock: it read `base` when the world began, and runs at `rate`."""

    base: float
    rate: float

    def at(self, world: float) -> float:
        """Return what it reads at a moment of the world."""
        return self.base + world * self.rate

    def world(self, reading: float) -> float:
        """Return the moment at which it reads `reading`."""
        return (reading - self.base) / self.rate


class Engine:
    """The events to come, in order of time; `record` keeps the notes for a timeline."""

    def __init__(self, *, record: bool = False) -> None:
        self.now = 0.0
        self.disturbed_at = 0.0
        self.happened = 0
        self.is_changed = True
        self.notes: list[tuple[float, str, str]] = []
        self._record = record
        self._heap: list[tuple[float, int, Act]] = []
        self._sequence = count()

    def at(self, when: float, act: Act) -> None:
        """Have something happen; never in the past."""
        heapq.heappush(self._heap, (max(when, self.now), next(self._sequence), act))

    def after(self, seconds: float, act: Act) -> None:
        """Have something happen `seconds` from now."""
        self.at(self.now + seconds, act)

    def note(self, who: str, what: str) -> None:
        """Write down what a reader of the timeline wants to know."""
        if self._record:
            self.notes.append((self.now, who, what))

    def disturb(self, who: str, what: str) -> None:
        """Write down a cause: whatever follows soon after it has an excuse."""
        self.disturbed_at = self.now
        self.is_changed = True
        self.note(who, f"* {what}")

    @property
    def calm(self) -> float:
        """For how long nothing was disturbed."""
        return self.now - self.disturbed_at

    def run(self, until: float, pending: Act, following: Act) -> None:
        """Let things happen: `pending` is asked before each, at its time, `following` after it."""
        while self._heap and self._heap[0][0] <= until:
            when, _, act = heapq.heappop(self._heap)
            self.now = when
            self.happened += 1
            pending()
            act()
            following()
        self.now = until
        pending()

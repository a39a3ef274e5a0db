"""Which services are tried again and when: exponential back-off on the loop's clock."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

MODULES = Path("/proc/modules")


class Attempt(NamedTuple):
    """How often it was refused, when (loop time) it is due, why, and which module it lacked."""

    number: int
    due: float
    why: str
    module: str | None


def loaded() -> frozenset[str]:
    """Name the modules that the kernel has loaded; none where it does not tell."""
    try:
        lines = MODULES.read_text().splitlines()
    except OSError:
        return frozenset()
    return frozenset(line.split(" ", 1)[0] for line in lines)


@dataclass(slots=True)
class Retries:
    """*first* and *longest* are the delays in seconds, doubled from one to the other.

    What waits for a module that was not there is due at once when *modules* names it.
    """

    first: float
    longest: float
    modules: Callable[[], frozenset[str]] = loaded
    _attempts: dict[str, Attempt] = field(default_factory=dict)

    def again(self, name: str, why: str = "", module: str | None = None) -> tuple[int, float]:
        """Note a refusal; give the attempt's number and the delay until the next."""
        before = self._attempts.get(name)
        number = before.number + 1 if before else 1
        delay = min(self.first * 2 ** min(number - 1, 30), self.longest)
        due = asyncio.get_running_loop().time() + delay
        lacked = module if module and module not in self.modules() else None
        self._attempts[name] = Attempt(number, due, why, lacked)
        return number, delay

    def forget(self, name: str) -> None:
        """Note that nothing was refused."""
        self._attempts.pop(name, None)

    def next(self) -> float | None:
        """Tell when the next try is due; None when there is none."""
        return min((each.due for each in self._attempts.values()), default=None)

    def due(self, now: float) -> frozenset[str]:
        """Name what is due at *now*."""
        wanted = {each.module for each in self._attempts.values()} - {None}
        there = self.modules() & wanted if wanted else wanted
        return frozenset(
            name for name, each in self._attempts.items() if each.due <= now or each.module in there
        )

    @property
    def trouble(self) -> str | None:
        """Say in one sentence what is refused, and why the first of it is."""
        if not self._attempts:
            return None
        names = sorted(self._attempts)
        why = self._attempts[names[0]].why
        told = f"{names[0]}: {why}" if why else "see table.refused"
        return f"The kernel refuses changes of {', '.join(names)}: {told}."

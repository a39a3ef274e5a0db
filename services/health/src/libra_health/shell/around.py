"""What an attempt is given by the driver that it runs in.

The one rule: all attempts of a driver share it, and it outlives them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from libra_health.errands import Done, Errand
from libra_health.outcome import Outcome
from libra_health.shell.contexts import Contexts
from libra_health.shell.loop import Loop
from libra_health.shell.spares import Spares
from libra_health.wire import Effect, Input, Search, Searched, Target

Trace: TypeAlias = Callable[[float, Effect | Input | Outcome], None]
"""Told of all that a run asks and hears, with the monotonic time in seconds."""


class Look(Protocol):
    """Matches a costly pattern within a bound (libra_health.shell.matcher)."""

    def __call__(self, wanted: Search, whose: Target, *, is_last: bool = False) -> Searched | float:
        """Match what `whose` answered, or tell after how many seconds to ask again.

        The last time it is asked it answers.
        """


class Begun(Protocol):
    """An errand under way; called, it is cancelled."""

    @property
    def lack(self) -> Done | None:
        """What a check is told that can wait no longer, where it is not the backend's fault."""

    def __call__(self) -> None:
        """Cancel it."""


class Errands(Protocol):
    """Who does errands beside the driver's thread (libra_health.shell.aside)."""

    def begin(self, errand: Errand, told: Callable[[Done], None]) -> Begun:
        """Do `errand`; `told` is called in the driver's thread, once, unless it is cancelled."""


@dataclass(frozen=True, slots=True)
class Around:
    """What all attempts of a driver share.

    `look` matches a costly pattern. `spares` is where sockets go in the end. `trace` is for
    `libra-health probe`.
    """

    look: Look
    loop: Loop
    contexts: Contexts
    errands: Errands
    spares: Spares
    trace: Trace | None = None

"""Which counters of a session were heard (RFC 4303 section 3.4.3 and its appendix A2).

One rule: a counter is new only once, and only above every other.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SIZE: Final = 64
"""Counters below the highest whose repetition is told from their late arrival."""


class Arrival(StrEnum):
    """How a counter stands to those heard before."""

    NEW = "new"
    LATE = "late"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Window:
    """The highest counter heard, and bit n of `seen` for the counter `highest - n`."""

    highest: int = -1
    seen: int = 0


def arrive(window: Window, counter: int) -> tuple[Window, Arrival]:
    """Take note of `counter`; what fell out of the window counts as repeated."""
    ahead = counter - window.highest
    if ahead > 0:
        kept = 0 if ahead >= SIZE else window.seen << ahead & (1 << SIZE) - 1
        return Window(counter, kept | 1), Arrival.NEW
    behind = -ahead
    if behind >= SIZE or window.seen >> behind & 1:
        return window, Arrival.REPEATED
    return Window(window.highest, window.seen | 1 << behind), Arrival.LATE

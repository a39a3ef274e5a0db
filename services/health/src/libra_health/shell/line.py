"""A hold's place in the driver."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from libra_health.hold.words import Phase

if TYPE_CHECKING:
    from libra_health.hold.wanted import Wanted
    from libra_health.hold.words import Held
    from libra_health.shell.channel import Channel


WITHHELD: Final = "withheld"
WORDS: Final = (*(phase.value for phase in Phase), WITHHELD)
"""All that a hold may be doing."""


class Line:
    """A hold in the driver: how it stands, and its socket while there is one.

    `timed`: the time for which it last asked to be woken. `is_withheld`: no descriptor was left.
    """

    __slots__ = ("channel", "held", "is_retired", "is_withheld", "timed", "wanted")

    def __init__(self, wanted: Wanted, held: Held) -> None:
        self.wanted = wanted
        self.held = held
        self.channel: Channel | None = None
        self.timed = inf
        self.is_retired = False
        self.is_withheld = False

    @property
    def word(self) -> str:
        """Say in one word what it is doing."""
        return WITHHELD if self.is_withheld else self.held.phase.value

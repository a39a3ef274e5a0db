"""What happens to the tether to one node, and what is done about it: inputs and effects as values.

One rule: a connection is told by its number; a newer one has a higher number.
"""

from dataclasses import dataclass
from typing import TypeAlias

from libra_vrrp.tether.channel import Greeted, Noted, Told
from libra_vrrp.tether.ending import Attempt, Ending
from libra_vrrp.tether.message import Reason
from libra_vrrp.tether.rank import Standings


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection is there, by its number: ours, or one that we accepted."""

    number: int
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Unconnected:
    """Connecting came to nothing."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Heard:
    """A word came in."""

    number: int
    word: Greeted | Told | Noted


@dataclass(frozen=True, slots=True)
class Ended:
    """A connection has ended."""

    number: int
    ending: Ending


@dataclass(frozen=True, slots=True)
class Elapsed:
    """The deadline has come."""


Input: TypeAlias = Connected | Unconnected | Heard | Ended | Elapsed


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect, in place of an attempt that is under way."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """Connect no more."""


@dataclass(frozen=True, slots=True)
class Introduce:
    """Let the guard hold this connection too, and then say how we stand."""

    number: int


@dataclass(frozen=True, slots=True)
class Note:
    """Say that the other end was heard."""

    number: int


@dataclass(frozen=True, slots=True)
class Close:
    """Say bye and end a connection."""

    number: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Settle:
    """Let go of what our predecessor held: the other end knows this connection instead."""

    number: int


@dataclass(frozen=True, slots=True)
class Bereave:
    """The node is dead: whatever it was master of has none."""

    said: Standings


Effect: TypeAlias = Dial | HangUp | Introduce | Note | Close | Settle | Bereave

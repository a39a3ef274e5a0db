"""What the log is told of a backend, and what is known of what it was told.

The one rule: a stand is whole: whoever reads only the last one knows all that counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

Place: TypeAlias = tuple[str, int, str]
"""Address, port and protocol: what makes a backend the same server under another check."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Whether a backend is to serve, and with what weight.

    `held`: kept in by the blast-radius guard. `damped`: kept down by flap damping.
    `weight`: the effective weight, None where the config's holds. `ramp`: the share of it in
    percent that slow start gives, None where it has all. `seen`: this node's own view, which is its
    vote, None where no votes are counted.
    """

    up: bool
    held: bool = False
    damped: bool = False
    weight: int | None = None
    ramp: int | None = field(default=None, compare=False)
    seen: bool | None = None

    @property
    def own(self) -> bool:
        """How this node alone sees the backend."""
        return self.up and not self.held if self.seen is None else self.seen

    def judges_as(self, other: Stand | None) -> bool:
        """Whether it differs in weight and own view at most."""
        if other is None:
            return False
        mine = (self.up, self.held, self.damped)
        return mine == (other.up, other.held, other.damped)

    def says_as(self, other: Stand | None) -> bool:
        """Whether nothing of it is news; how far a slow start is counts by its weight alone."""
        return other == self and (other.ramp is None) is (self.ramp is None)


@dataclass(frozen=True, slots=True)
class Known:
    """The newest that the log holds, or is being told, of one backend.

    `digest`: the target digest it was said for. `flaps`: damping holds it, though the guard may
    keep it in. `checks`: label of each that told, and whether it passed.
    """

    digest: str
    place: Place
    stand: Stand
    flaps: bool = False
    checks: tuple[tuple[str, bool], ...] = ()


def event_type(stand: Stand, before: Stand | None) -> str:
    """Name the event that says `stand` after `before`."""
    if before is not None and stand.judges_as(before):
        is_vote = stand.seen != before.seen and stand.weight == before.weight
        return "backend.seen" if is_vote else "backend.weight"
    if stand.held:
        return "backend.held"
    return "backend.up" if stand.up else "backend.down"

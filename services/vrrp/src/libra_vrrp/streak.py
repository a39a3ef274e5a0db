"""Rise and fall: how many equal results in a row a change of mind takes.

One rule: the first result of all counts at once, whichever it is.
"""

from dataclasses import dataclass

from libra_vrrp.watched import Judged, ProgramWatch


@dataclass(frozen=True, slots=True)
class Streak:
    """The verdict that stands, and how many results in a row speak against it."""

    verdict: Judged | None = None
    against: int = 0


def observe(known: Streak, said: Judged, watch: ProgramWatch) -> Streak:
    """Take in a result; the verdict stays the very same while it stands."""
    if known.verdict is None:
        return Streak(said)
    if known.verdict.up == said.up:
        return Streak(known.verdict)
    against = known.against + 1
    needed = watch.rise if said.up else watch.fall
    return Streak(said) if against >= needed else Streak(known.verdict, against)

"""What a service that ends leaves to the one that starts after it <-> JSON.

Design §6, planned restart. One rule: a bequest counts once, in the place where it was made, and
what nobody has adopted in time is given up like what a dead machine left.
"""

import json
from dataclasses import dataclass
from typing import Final

from libra_vrrp.guarding import Estate, Will
from libra_vrrp.wills import MalformedWill, dumps, loads

NEVER: Final = float("-inf")
"""When a service began that followed an unclean exit, where there was none."""


@dataclass(frozen=True, slots=True)
class Bequest:
    """`place` is the boot and the network namespace, `left` what is to be adopted.

    `died_at` is when the machine ended and `needs` what its start took, in seconds of the
    monotonic clock; `unclean_at` is when the service began that followed an unclean exit.
    """

    place: str
    died_at: float
    needs: float
    left: tuple[Estate, ...]
    unclean_at: float = NEVER


def render(bequest: Bequest) -> bytes:
    """Return it as JSON."""
    left = [[estate.until, dumps(estate.will).decode()] for estate in bequest.left]
    head = {"place": bequest.place, "died_at": bequest.died_at, "needs": bequest.needs}
    return json.dumps(head | {"left": left, "unclean_at": bequest.unclean_at}).encode()


def parse(content: bytes) -> Bequest:
    """Read one; raise `MalformedWill`."""
    try:
        fields = json.loads(content)
        left = tuple(Estate(_will(will), float(until)) for until, will in fields["left"])
        times = float(fields["died_at"]), float(fields["needs"])
        unclean_at = float(fields.get("unclean_at", NEVER))
        return Bequest(str(fields["place"]), *times, left, unclean_at)
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise MalformedWill(f"{wrong!r} in {content[:200]!r}") from wrong


def _will(line: str) -> Will:
    will = loads(line.encode())
    if not isinstance(will, Will):
        raise MalformedWill(f"no will: {line[:200]!r}")
    return will

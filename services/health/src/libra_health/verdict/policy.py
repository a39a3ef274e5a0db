"""What a service asks of its verdicts: which checks must pass, and what steadies them.

The one rule: a single check that decides is enough; what is not known yet decides nothing, and
once a verdict was said it keeps none alive.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from libra_health.verdict.blast import Guard
from libra_health.verdict.damping import Damping
from libra_health.verdict.debounce import Standing
from libra_health.verdict.vantage import Vantage


@dataclass(frozen=True, slots=True)
class Policy:
    """How the checks of one backend make its verdict, and what stands between it and the table.

    `any_passes`: one check that passes is enough. `weight`: the config's. `slow_start`: seconds,
    0 is off. `assume_up`: it serves from the start, without a verdict. `vantage`: whose votes
    count, None where only this node's view does.
    """

    any_passes: bool = False
    weight: int = 1
    slow_start: float = 0.0
    damping: Damping | None = None
    guard: Guard | None = None
    assume_up: bool = False
    vantage: Vantage | None = None


PLAIN: Final = Policy()


def joined(found: Collection[Standing], *, any_passes: bool, is_said: bool = False) -> Standing:
    """Join the standings of all checks of a backend; without any check it is up.

    `is_said`: a verdict was said before. Then, where any may pass and none does, one that fails
    is enough: an `up` that it alone gave does not live on by a check that never had a say.
    """
    decides = Standing.UP if any_passes and found else Standing.DOWN
    if decides in found:
        return decides
    if Standing.UNKNOWN in found and not (is_said and Standing.DOWN in found):
        return Standing.UNKNOWN
    return Standing.DOWN if decides is Standing.UP else Standing.UP

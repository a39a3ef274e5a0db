"""What an attempt came to, and when the next one is due.

Rule: exponential back-off, jitter on its upper half, so that many events held up by one
receiver do not come back at the same moment.
"""

from dataclasses import dataclass, field

from libra_schemas.config.notify import Retry

_MOST_DOUBLINGS = 64


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver took it; *detail* is what it said."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The receiver did not take it; *after* is how many seconds it asked us to wait.

    *served* are the recipients this attempt did reach: they are not told again.
    """

    detail: str
    after: float = 0.0
    served: frozenset[str] = field(default_factory=frozenset)


Outcome = Delivered | Failed


def is_exhausted(retry: Retry, attempts: int) -> bool:
    """Say whether *attempts* tries are all there are."""
    return attempts >= retry.attempts


def delay(retry: Retry, attempts: int, jitter: float, after: float = 0.0) -> float:
    """Seconds to wait after *attempts* (from 1) failed tries.

    *jitter* is 0 to 1 and picks between half of the back-off and all of it; what the receiver
    asked for is honoured up to the longest wait of the config.
    """
    doublings = min(attempts - 1, _MOST_DOUBLINGS)
    whole = min(retry.first * 2.0**doublings, retry.longest)
    return max(whole * (1 + jitter) / 2, min(after, retry.longest))

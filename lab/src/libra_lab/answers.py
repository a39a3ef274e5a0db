"""What a client saw, and what that says about the service: shares, failures, gaps. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Answer:
    """One request: `asked` and `ended` are monotonic seconds, `server` who answered, if any."""

    asked: float
    ended: float
    server: str | None
    error: str = ""


def shares(answers: Iterable[Answer]) -> Counter[str]:
    """Return how many requests each server answered."""
    return Counter(answer.server for answer in answers if answer.server is not None)


def failures(answers: Iterable[Answer]) -> list[Answer]:
    """Return the requests that nobody answered."""
    return [answer for answer in answers if answer.server is None]


def longest_gap(answers: Iterable[Answer], start: float, end: float) -> float:
    """Return the longest time, within `start` to `end`, in which no answer came, in seconds."""
    arrived = sorted(answer.ended for answer in answers if answer.server is not None)
    moments = [start, *(moment for moment in arrived if start < moment < end), end]
    return max(after - before for before, after in pairwise(moments))


def longest_silence(arrivals: Sequence[float]) -> float:
    """Return the longest time between two consecutive arrivals, in seconds; 0 for fewer."""
    return max((after - before for before, after in pairwise(arrivals)), default=0.0)

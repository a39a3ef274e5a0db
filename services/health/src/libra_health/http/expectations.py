"""What is expected of an answer: its status, and what its body holds.

The one rule: a body is compared as it came; what is compressed is never unpacked.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never

from libra_health.outcome import excerpt
from libra_health.patterns import compiled

Statuses: TypeAlias = tuple[tuple[int, int], ...]
"""Ranges, both ends included."""

GOOD: Final[Statuses] = ((200, 299),)


@dataclass(frozen=True, slots=True)
class Contains:
    """The body contains these bytes."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Matches:
    """The body matches this regular expression somewhere."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Digest:
    """The body has this digest (hex); `algorithm` as hashlib names it."""

    algorithm: str
    value: str


Expectation: TypeAlias = Contains | Matches | Digest


def wrong_status(status: int, wanted: Statuses) -> str:
    """Say what is wrong with a status, "" where nothing is."""
    if any(low <= status <= high for low, high in wanted):
        return ""
    ranges = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in wanted)
    return f"status {status}, wanted {ranges}"


def missing(wanted: Expectation, body: bytes) -> str | None:
    """Say what is wrong with the body, before it is shown, if it is not as wanted."""
    match wanted:
        case Contains(text):
            return None if text in body else f"'{excerpt(text, 80)}' not in body"
        case Matches(pattern):
            return None if compiled(pattern).search(body) else unmatched(pattern)
        case Digest(algorithm, value):
            found = hashlib.new(algorithm, body, usedforsecurity=False).hexdigest()
            if found == value.lower():
                return None
            return f"{algorithm} is {found}, wanted {value} (see `libra digest`); body"
        case _:
            assert_never(wanted)


def unmatched(pattern: str) -> str:
    """Say what no body matches that is shown after it."""
    return f"/{pattern[:80]}/ not in body"

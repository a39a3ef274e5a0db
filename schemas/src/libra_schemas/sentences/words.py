"""Putting sentences together.

Rule: who, what, why, in that order: `backend w1 of web is down: connection refused (3 of 3)`.
"""

from collections.abc import Sequence


def because(what: str, why: str) -> str:
    """Say *what*, and after a colon *why* where there is something to say."""
    return f"{what}: {why}" if why else what


def counted(number: int, noun: str) -> str:
    """Say `1 change`, `2 changes`."""
    return f"{number} {noun}{'s' * (number != 1)}"


def listed(parts: Sequence[str], most: int) -> str:
    """List the first *most* parts and how many more there are."""
    more = len(parts) - most
    return "; ".join([*parts[:most], *([f"and {more} more"] if more > 0 else [])])

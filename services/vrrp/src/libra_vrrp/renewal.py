"""Address work as values, and what a renewal is made of.

Design §6. One rule: a renewal that came too late is undone, for it puts back what the kernel had
already taken. Times are seconds of the monotonic clock.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Final, TypeAlias

from libra_vrrp.rtnetlink import IpAddress

UNKNOWN: Final = -1
"""In place of an errno: the kernel's answer was lost."""

Target: TypeAlias = tuple[int, IpAddress]
"""The index of an interface, and an address on it."""


@dataclass(frozen=True, slots=True)
class Renew:
    """Add or renew `targets` for `lifetime` seconds, if it is done before `not_after`.

    `instance` and `token` come back with the outcome.
    """

    instance: str
    token: int
    targets: tuple[Target, ...]
    lifetime: int
    asked_at: float
    not_after: float


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove `targets`, whether they are there or not."""

    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a `Renew`: done if `errno` is 0 and it was not `late` (then it is undone)."""

    renew: Renew
    errno: int
    late: bool


@dataclass(frozen=True, slots=True)
class Add:
    """Have the kernel add `targets`, or renew them, for `lifetime` seconds."""

    targets: tuple[Target, ...]
    lifetime: int


@dataclass(frozen=True, slots=True)
class Done:
    """The kernel carried a step out, or refused it with `errno`; it is `now` afterwards."""

    errno: int
    now: float


def renewal(renew: Renew, now: float) -> Generator[Add | Remove, Done, Outcome]:
    """Yield what to have the kernel do, be told what came of it, and return the outcome."""
    if now >= renew.not_after:
        return Outcome(renew, 0, late=True)
    done = yield Add(renew.targets, renew.lifetime)
    late = done.now >= renew.not_after
    if late:
        yield Remove(renew.targets)
    return Outcome(renew, done.errno, late)

"""Address work as values, and what a renewal is made of; the routes and rules that go with it.

Design §6. One rule: a renewal that came too late is undone, for it puts back what the kernel had
already taken. Times are seconds of the monotonic clock.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from errno import EEXIST
from typing import Final, TypeAlias

from libra_vrrp.routing import Entry, source_of
from libra_vrrp.rtnetlink import Answered, Target

UNKNOWN: Final = -1
"""In place of an errno: the kernel's answer was lost."""


@dataclass(frozen=True, slots=True)
class Renew:
    """Add or renew `targets` for `lifetime` seconds, if it is done before `not_after`.

    Where that succeeds `entries` are made or found. `instance` and `token` come back with what
    became of both. The interface of index `vmac` is set up first. `left` are entries of earlier, on
    an interface of that name then: they stay, and go with the rest.
    """

    instance: str
    token: int
    targets: tuple[Target, ...]
    lifetime: int
    asked_at: float
    not_after: float
    entries: tuple[Entry, ...] = ()
    vmac: int | None = None
    left: tuple[Entry, ...] = ()

    @property
    def sources(self) -> tuple[Target, ...]:
        """The targets whose loss the entries do not outlive whole."""
        named = {source_of(entry) for entry in self.entries}
        return tuple(one for one in self.targets if one.address.packed in named)


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove `targets`, and then `entries`, whether they are there or not.

    The interface of index `vmac` is set down before: what leaves it would mislead the network.
    """

    targets: tuple[Target, ...]
    entries: tuple[Entry, ...] = ()
    vmac: int | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """Remove every route and rule of ours but those in `kept`."""

    kept: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Unmake:
    """Remove the virtual MAC interfaces of these indexes."""

    vmacs: tuple[int, ...]


Job: TypeAlias = Renew | Remove | Sweep | Unmake


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a `Renew`: done if `errno` is 0 and it was not `late` (then it is undone).

    `new` are those of its sources that were not there.
    """

    renew: Renew
    errno: int
    late: bool
    new: tuple[Target, ...] = ()

    @property
    def holds(self) -> bool:
        """Say whether the kernel holds the addresses, and is to."""
        return not self.errno and not self.late


@dataclass(frozen=True, slots=True)
class Laid:
    """What became of the entries of a `Renew`: which had to be made, which were refused and why."""

    renew: Renew
    made: tuple[Entry, ...] = ()
    refused: tuple[tuple[Entry, Answered], ...] = ()


@dataclass(frozen=True, slots=True)
class Cleared:
    """A `Sweep` or an `Unmake` was done, but for the interfaces that the kernel keeps, and why."""

    job: Sweep | Unmake
    refused: tuple[tuple[int, Answered], ...] = ()


@dataclass(frozen=True, slots=True)
class Add:
    """Have the kernel add `targets`, or renew them, for `lifetime` seconds, with `vmac` up.

    Of `sources`, some of them, it is to be known which were there.
    """

    targets: tuple[Target, ...]
    lifetime: int
    vmac: int | None = None
    sources: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The kernel carried a step out, or refused it with `errno`; it is `now` afterwards.

    `new` are the sources that were not there.
    """

    errno: int
    now: float
    new: tuple[Target, ...] = ()


def renewal(renew: Renew, now: float) -> Generator[Add | Remove, Done, Outcome]:
    """Yield what to have the kernel do, be told what came of it, and return the outcome."""
    if now >= renew.not_after:
        return Outcome(renew, 0, late=True)
    done = yield Add(renew.targets, renew.lifetime, renew.vmac, renew.sources)
    late = done.now >= renew.not_after
    if late:
        yield Remove(renew.targets, vmac=renew.vmac)
    return Outcome(renew, done.errno, late, done.new)


def stripped(outcome: Outcome) -> tuple[Entry, ...]:
    """Return the entries that may be there without their source: they are to be made anew."""
    lost = {target.address.packed for target in outcome.new}
    return tuple(entry for entry in outcome.renew.entries if source_of(entry) in lost)


def laid(renew: Renew, answers: Sequence[Answered]) -> Laid:
    """Return what became of the entries, from the kernel's answers in their order.

    EEXIST is what one that is there already comes to.
    """
    answered = tuple(zip(renew.entries, answers, strict=True))
    made = tuple(entry for entry, answer in answered if not answer.errno)
    refused = tuple((one, a) for one, a in answered if a.errno not in {0, EEXIST})
    return Laid(renew, made, refused)

"""Leased addresses: the kernel takes an address back from a master that no longer renews it.

Design §6. One rule: a master acts only while the kernel is sure to hold its addresses, as
counted from the moment at which the last confirmed renewal was *asked* for. Times are seconds.
"""

from dataclasses import dataclass, replace
from typing import Final

EARLY: Final = 0.25
"""The kernel batches expiries and may take an address this much early (ADDRCONF_TIMER_FUZZ).

An IPv6 one at most 0.02 s early (ADDRCONF_TIMER_FUZZ_MINUS), and up to 1 s late: the kernel looks
for such at most once a second (ADDRCONF_TIMER_FUZZ_MAX). On 6.18 0.99 s were seen where another
address was changed 0.03 s before the end, else 0.45 s.
"""
LATE: Final = 1.0
"""Seconds by which the kernel may take an address late; see `EARLY`."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How long an address lives in the kernel (whole seconds), and how early we stop relying on it.

    `margin` must cover `EARLY` and what our own clean-up takes.
    """

    duration: int = 2
    margin: float = 0.5

    def __post_init__(self) -> None:
        """Raise `ValueError` for terms under which no renewal could be in time."""
        if self.duration < 2:  # noqa: PLR2004 - the kernel counts whole seconds
            raise ValueError(f"a lease of {self.duration} s is too short: at least 2")
        if not EARLY < self.margin < self.duration / 2:
            raise ValueError(f"margin {self.margin} s is not within {EARLY} and half the lease")

    @property
    def every(self) -> float:
        """How often the lease is renewed."""
        return self.duration / 4

    @property
    def reliable(self) -> float:
        """For how long after a renewal was asked for we rely on it."""
        return self.duration - self.margin


@dataclass(frozen=True, slots=True)
class Lease:
    """A master's hold: from `fence_at` on we must not act as master any more.

    It follows from the terms under which the last confirmed renewal was asked for; until the first
    confirmation from the taking itself. `renew_at` is when to ask again, `asked` the terms of the
    renewal under way.
    """

    fence_at: float
    renew_at: float
    confirmed: bool = False
    asked: Terms | None = None


def take(terms: Terms, now: float) -> Lease:
    """Begin a lease: nothing is confirmed, the first request is due at once."""
    return Lease(fence_at=now + terms.reliable, renew_at=now)


def is_lost(lease: Lease, now: float) -> bool:
    """Say whether the kernel may have taken the addresses back."""
    return now >= lease.fence_at


def is_due(lease: Lease, now: float) -> bool:
    """Say whether to ask for a renewal; never while one is under way."""
    return lease.asked is None and now >= lease.renew_at


def ask(terms: Terms, lease: Lease, now: float) -> Lease:
    """Note that a renewal was asked for; one that shortens the lease does so from here on.

    Its confirmation may be lost, and the kernel have carried it out.
    """
    fence_at = min(lease.fence_at, now + terms.reliable)
    return replace(lease, fence_at=fence_at, asked=terms, renew_at=now + terms.every)


def confirm(lease: Lease, asked_at: float) -> Lease:
    """Note that the kernel carried out the renewal asked for at `asked_at`, under its own terms."""
    reliable = 0.0 if lease.asked is None else lease.asked.reliable
    fence_at = max(lease.fence_at, asked_at + reliable)
    return replace(lease, fence_at=fence_at, confirmed=True, asked=None)


def retry(lease: Lease) -> Lease:
    """Note that nobody knows what became of the renewal: it may be asked for again."""
    return replace(lease, asked=None)


def wake_at(lease: Lease) -> float:
    """Return when the lease next needs a look."""
    return lease.fence_at if lease.asked else min(lease.renew_at, lease.fence_at)


def may_adopt(interval: float, dead: float) -> bool:
    """Say whether a successor may go on as master `dead` seconds after its predecessor's end.

    The last advertisement went out at most one interval before the end, and the others wait for
    three intervals and more after it.
    """
    return dead < 2 * interval


def ends_in_time(terms: Terms, interval: float) -> bool:
    """Say whether the kernel takes the addresses back before others take over.

    That is from a last advertisement on; a renewal is never younger, the others wait for three
    intervals and a skew.
    """
    return terms.duration + LATE <= 3 * interval

"""A probe's place in the driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from libra_health.probes import Probe
    from libra_health.shell.attempt import Attempt


def _unseated(_fd: int) -> None:
    raise ValueError("no driver has seated this probe")


class Seat:
    """A probe in the driver: when it is due next, and its run if one is under way.

    `is_beside`: that run is none of the grid's. `is_granted`: it was given back what we missed of
    it. `missed`: what the loop had missed in all when it began, in seconds. `enrol`: adds a socket
    of its runs to the epoll.
    """

    __slots__ = (
        "attempt",
        "due",
        "enrol",
        "is_beside",
        "is_granted",
        "is_retired",
        "missed",
        "probe",
        "run",
    )

    def __init__(self, probe: Probe, due: float) -> None:
        self.probe = probe
        self.due = due
        self.enrol: Callable[[int], None] = _unseated
        self.attempt: Attempt | None = None
        self.run = 0
        self.is_beside = False
        self.is_granted = False
        self.missed = 0.0
        self.is_retired = False

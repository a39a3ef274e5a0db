"""Reports that wait for the reporter, and never make the machine wait.

One rule: a report is kept until it is acknowledged or, when the spool is full, the oldest goes.
"""

from dataclasses import dataclass, replace

from libra_vrrp.reports import Numbered, Report


@dataclass(frozen=True, slots=True)
class Spool:
    """Reports not yet acknowledged, oldest first, and how many had to be dropped."""

    boot: str
    waiting: tuple[Numbered, ...] = ()
    last: int = 0
    sent: int = 0
    dropped: int = 0
    limit: int = 1000

    def add(self, report: Report) -> "Spool":
        """Append a report; over the limit the oldest is dropped and counted."""
        number = self.last + 1
        waiting = (*self.waiting, Numbered(self.boot, number, report))
        over = max(len(waiting) - self.limit, 0)
        dropped = self.dropped + over
        return replace(self, waiting=waiting[over:], last=number, dropped=dropped)

    def unsent(self) -> tuple[Numbered, ...]:
        """Return what has not been handed to the reporter since the last `rewind`."""
        return tuple(one for one in self.waiting if one.number > self.sent)

    def handed(self, number: int) -> "Spool":
        """Note that reports up to `number` were handed over."""
        return replace(self, sent=max(self.sent, number))

    def rewind(self) -> "Spool":
        """Hand everything over again: the reporter is a new one."""
        return replace(self, sent=0)

    def taken(self, boot: str, number: int) -> "Spool":
        """Forget what the reporter has acknowledged; another machine's numbers mean nothing."""
        if boot != self.boot:
            return self
        return replace(self, waiting=tuple(one for one in self.waiting if one.number > number))

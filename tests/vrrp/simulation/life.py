"""A machine process as its parent sees it: what stands for `libra_vrrp.shell.process`."""

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.vrrp.simulation.plugs import Line, Plugs
from tests.vrrp.simulation.process import Process
from tests.vrrp.simulation.stand_ins import Page

from libra_vrrp.shell.leaving import AT_ONCE, LATER

if TYPE_CHECKING:
    from tests.vrrp.simulation.host import Host

BOOT = (0.05, 0.15)
"""Seconds from the start of a machine to its first step, at least and at most."""


class Life:
    """It is there at once, and works after a while; `ended` is told when it can be waited for."""

    pid = 1

    def __init__(
        self,
        host: "Host",
        times: tuple[float, ...],
        line: Line,
        plugs: Plugs,
        page: Page,
        ended: Callable[[], None],
    ) -> None:
        self.process: Process | None = None
        self.returncode: int | None = None
        self.times, self.line, self.plugs, self.page = times, line, plugs, page
        self._host, self._ended = host, ended
        self._is_over = False
        host.engine.after(host.dice.uniform(*BOOT), self._boot)

    def status(self) -> int | None:
        """Return its exit status; None while it lives, or the kernel works for it."""
        return self.returncode

    def reap(self) -> None:
        """Leave nothing of it."""

    def kill(self) -> None:
        """Send SIGKILL."""
        if self.process is not None:
            self.process.kill()
        else:
            self._over(-signal.SIGKILL)

    def send(self, number: int) -> None:
        """Send a signal that ends it in order; before it works it ends at once."""
        if self.process is None:
            self._over(-number)
        else:
            self.process.stop(frozenset({number} & {AT_ONCE, LATER}))

    def wake(self) -> None:
        """Have something to read."""
        if self.process is not None:
            self.process.wake()

    def _boot(self) -> None:
        if not self._is_over:
            self.process = Process(
                self._host, self.times, self.plugs, self.line, self.page, self._over
            )
            self._host.booted(self.process)

    def _over(self, status: int) -> None:
        """Have it end; not before the kernel has carried out what it asked for last."""
        if self._is_over:
            return
        self._is_over = self.line.is_closed = True
        self.plugs.close()
        if self.process is not None:
            self._host.has_died(self.process)
        self._reap(status)

    def _reap(self, status: int) -> None:
        if self._host.kernel.under_way and self.process is not None:
            when = max(self._host.engine.now, self._host.kernel.stuck_until) + 0.01
            self._host.engine.at(when, lambda: self._reap(status))
            return
        self.returncode = status
        self._host.is_gone(self.process)
        self._ended()

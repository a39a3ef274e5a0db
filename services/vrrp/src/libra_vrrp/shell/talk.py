"""The machine's end of the line to the reporter: spooled, never blocking."""

import contextlib
import os
import socket
import time
from collections.abc import Iterable
from typing import Final

from libra_vrrp import orders, reports
from libra_vrrp.orders import Order, Taken
from libra_vrrp.reports import Awake, Numbered, Report
from libra_vrrp.spool import Spool

_LARGEST: Final = 1 << 18


class Talk:
    """Reports out, orders in, over a SOCK_SEQPACKET socket that outlives both processes."""

    def __init__(self, reporter: socket.socket) -> None:
        self._socket = reporter
        self._socket.setblocking(False)
        self._spool = Spool(boot=f"{os.getpid()}-{time.monotonic_ns()}")
        self._spool = self._spool.add(Awake())

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._socket.fileno()

    def tell(self, report: Report) -> None:
        """Keep a report until the reporter has taken it."""
        self._spool = self._spool.add(report)

    def mention(self, report: Report) -> None:
        """Say something that need not arrive."""
        with contextlib.suppress(OSError):
            self._socket.send(reports.dumps(Numbered(self._spool.boot, 0, report)))

    def again(self, states: Iterable[Report]) -> None:
        """Tell a new reporter everything that was not taken, and the present states."""
        self._spool = self._spool.rewind()
        self.mention(Awake())
        self.flush()
        for state in states:
            self.mention(state)

    def forget(self, taken: Taken) -> None:
        """Forget what the reporter has in safe hands."""
        self._spool = self._spool.taken(taken.boot, taken.number)

    def flush(self) -> None:
        """Hand over what was not handed over, as far as the socket takes it."""
        for numbered in self._spool.unsent():
            try:
                self._socket.send(reports.dumps(numbered))
            except OSError:
                return
            self._spool = self._spool.handed(numbered.number)

    def heard(self) -> list[Order]:
        """Return the orders that wait; those that make no sense are skipped.

        Raise `EOFError` once the parent and the reporter are both gone.
        """
        found: list[Order] = []
        while True:
            try:
                line = self._socket.recv(_LARGEST)
            except OSError:
                return found
            if not line:
                raise EOFError("the line to the reporter is gone")
            with contextlib.suppress(orders.MalformedOrder):
                found.append(orders.loads(line))

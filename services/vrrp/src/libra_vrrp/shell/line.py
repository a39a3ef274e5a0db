"""The reporter's end of the line to the machine, for asyncio."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Final

from libra_vrrp import orders, reports
from libra_vrrp.orders import Hello, Order
from libra_vrrp.reports import Awake, Farewell, MalformedReport, Numbered, Reread

_LARGEST: Final = 1 << 18


class Line:
    """Orders out, reports in.

    After `greet` reports count only from the machine's answer on: what an earlier reporter had
    not read comes again then, after what it had read and not taken. What the parent says counts.
    """

    def __init__(self, machine: socket.socket) -> None:
        self._socket = machine
        self._socket.setblocking(False)
        self._readable = asyncio.Event()
        self._open = True
        self._is_answered = True
        self._has_lost = False
        asyncio.get_running_loop().add_reader(machine.fileno(), self._readable.set)

    def greet(self) -> None:
        """Ask the machine to begin anew: with what nobody has taken, and every state."""
        self._is_answered = False
        self.send(Hello())

    def send(self, order: Order) -> None:
        """Send an order; it is lost where the machine has not read for a long time."""
        try:
            self._socket.send(orders.dumps(order))
        except OSError:
            self._has_lost = True

    def has_lost(self) -> bool:
        """Say, once, whether orders were lost since the last call."""
        lost, self._has_lost = self._has_lost, False
        return lost

    def waiting(self) -> list[Numbered]:
        """Return the reports that are here, without waiting."""
        found: list[Numbered] = []
        self._readable.clear()
        while True:
            try:
                line = self._socket.recv(_LARGEST)
            except BlockingIOError:
                return found
            if not line:
                self._close()
                return found
            with contextlib.suppress(MalformedReport):
                self._sort(reports.loads(line), found)

    def _sort(self, numbered: Numbered, found: list[Numbered]) -> None:
        """Keep what counts; where the machine speaks without having answered, ask again."""
        self._is_answered |= isinstance(numbered.report, Awake | Farewell)
        if self._is_answered or isinstance(numbered.report, Reread):
            found.append(numbered)
        elif not numbered.number:
            self.send(Hello())

    async def reports(self) -> AsyncIterator[Numbered]:
        """Yield reports until the parent and the machine are both gone."""
        while self._open:
            await self._readable.wait()
            for numbered in self.waiting():
                yield numbered

    def _close(self) -> None:
        """Stop listening: the other end does not exist any more."""
        self._open = False
        asyncio.get_running_loop().remove_reader(self._socket.fileno())

"""The reporter's end of the line to the machine, for asyncio."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Final

from libra_vrrp import orders, reports
from libra_vrrp.orders import Order
from libra_vrrp.reports import MalformedReport, Numbered

_LARGEST: Final = 1 << 18


class Line:
    """Orders out, reports in; what the machine cannot take now is sent again with the next."""

    def __init__(self, machine: socket.socket) -> None:
        self._socket = machine
        self._socket.setblocking(False)
        self._readable = asyncio.Event()
        self._open = True
        asyncio.get_running_loop().add_reader(machine.fileno(), self._readable.set)

    def send(self, order: Order) -> None:
        """Send an order; lost only where the machine has not read for a long time."""
        with contextlib.suppress(OSError):
            self._socket.send(orders.dumps(order))

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
                found.append(reports.loads(line))

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

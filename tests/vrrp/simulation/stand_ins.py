"""What stands in for the machine's sockets, file and claim, and what a process sees of its host."""

import random
from collections.abc import Sequence
from typing import Protocol

from tests.vrrp.simulation.engine import Clock, Engine
from tests.vrrp.simulation.kernel import Kernel
from tests.vrrp.simulation.wires import Wires

from libra_runtime.claim import RETRY
from libra_vrrp.codec import Datagram
from libra_vrrp.interfaces import Interfaces
from libra_vrrp.kept import dump_instances
from libra_vrrp.orders import Channel, Instance
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.shell.claim import Claim
from libra_vrrp.states import Input, State


class Claimed(Claim):
    """One machine per host: `holders` are those of a host that have not ended, the first has it."""

    def __init__(self, holders: Sequence[object], machine: object) -> None:
        super().__init__()
        self._holders, self._machine = holders, machine

    def take(self) -> bool:
        had, self.rival = self.rival, None
        if self._holders[0] is not self._machine:
            self.rival = "another one works here"
        return self.rival != had

    def retry_at(self, now: float) -> float:
        return float("inf") if self.rival is None else now + RETRY


class Page:
    """Stands for the memory that a machine shares with its guard."""

    promised = float("inf")


class Opening:
    """Stands for `Links`: the socket is under way for a while."""

    def __init__(self) -> None:
        self.retry_at = float("inf")
        self.is_open = False

    def is_opening(self, channel: Channel) -> bool:  # noqa: ARG002 - there is only one
        return not self.is_open

    def fault(self, channel: Channel) -> str | None:  # noqa: ARG002 - it always opens
        return None

    def look_at(self, when: float) -> None:
        self.retry_at = min(self.retry_at, when)


class Unveiled:
    """Stands for `Vmacs`: nobody has a virtual MAC."""

    def fault(self, order: Instance, known: Interfaces) -> str | None:  # noqa: ARG002 - none wanted
        return None


class Socket:
    """Stands for `Link`: one datagram waits."""

    def __init__(self, channel: Channel, datagram: Datagram) -> None:
        self.channel = channel
        self._datagram = datagram

    def receive(self) -> list[Datagram]:
        return [self._datagram]


class Kept:
    """Stands for the file that the reporter keeps."""

    def __init__(self, orders: tuple[Instance, ...]) -> None:
        self._text = dump_instances(orders)

    def read_bytes(self) -> bytes:
        return self._text


class Surroundings(Protocol):
    """The host, as its process sees it."""

    name: str
    homes: dict[int, IpAddress]
    engine: Engine
    dice: random.Random
    clock: Clock
    unclean_at: float
    kernel: Kernel
    wires: Wires
    lateness: float
    orders: tuple[Instance, ...]

    @property
    def machines(self) -> Sequence[object]:
        """Every machine that has not ended, the eldest first."""

    def transmit(self, datagram: Datagram) -> bool:
        """Send an advertisement."""

    def changed(self) -> None:
        """Know that a router's state is another."""

    def obeyed(self, given: Input | None) -> None:
        """Know that the operator's word, or another list, arrived."""

    def entered(self, state: State) -> None:
        """Know that a router entered a state."""

    def bereaved(self, name: str) -> None:
        """Know that the tether to a node tells that it is dead."""

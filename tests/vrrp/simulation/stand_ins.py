"""What stands in for the machine's sockets, file and claim, and what a process sees of its host."""

import random
from typing import Protocol

from tests.vrrp.simulation.engine import Clock, Engine
from tests.vrrp.simulation.kernel import Kernel

from libra_vrrp.codec import Datagram
from libra_vrrp.interfaces import Interfaces
from libra_vrrp.kept import dump_instances
from libra_vrrp.orders import Channel, Instance
from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.shell.claim import Claim
from libra_vrrp.states import Input, State


class Alone(Claim):
    """Nobody is in the way of a machine that needs no socket to say so."""

    def take(self) -> bool:
        return False

    def retry_at(self, now: float) -> float:  # noqa: ARG002 - as the real one
        return float("inf")


class Opening:
    """Stands for `Links`: the socket is under way for a while."""

    retry_at = float("inf")
    is_open = False

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
    lateness: float
    orders: tuple[Instance, ...]

    def transmit(self, datagram: Datagram) -> bool:
        """Send an advertisement."""

    def changed(self) -> None:
        """Know that a router's state is another."""

    def obeyed(self, given: Input | None) -> None:
        """Know that the operator's word, or another list, arrived."""

    def entered(self, state: State) -> None:
        """Know that a router entered a state."""
